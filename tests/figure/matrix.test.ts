import { inflateSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { differenceColours, figureOf, matrixLayout, matrixRamp } from "attention-lab/figure";
import { ablationTableMime, matrix, matrixMime, type MatrixPayload } from "attention-lab/views";
import { matrixIndices } from "../../kernel/figure/matrixColours.js";
import { syntheticAblation, syntheticPatching, syntheticReceived } from "../gallery/effects.js";

const small = (values: number[][], kind: MatrixPayload["kind"] = "diverging"): MatrixPayload =>
  matrix(values, {
    title: "t",
    measure: "share",
    kind,
    rows: { name: "layer", labels: values.map((_, at) => String(at)) },
    columns: { name: "head", labels: values[0].map((_, at) => String(at)) },
  });

describe("a drawn matrix", () => {
  it.each([
    ["matrix-patching", matrixMime, syntheticPatching],
    ["matrix-received", matrixMime, syntheticReceived],
    ["ablation", ablationTableMime, syntheticAblation],
  ] as const)("looks as recorded: %s", async (name, mime, make) => {
    await expect(figureOf(mime, make())! + "\n").toMatchFileSnapshot(`snapshots/${name}.svg`);
  });

  it("has 0 in the middle of its colours, equal sizes equally far from it, and no colour for no value", () => {
    expect([...matrixIndices(small([[0, 0.5, -0.5, 1, -1, NaN]]), "linear")]).toEqual([126, 189, 63, 252, 0, 255]);
    expect([...matrixIndices(small([[0, 0.25, -0.25, 1, -1, NaN]]), "sqrt")]).toEqual([126, 189, 63, 252, 0, 255]);
    expect([...matrixIndices(small([[0, 0.5, 1]], "sequential"), "linear")]).toEqual([0, 126, 252]);
  });

  it("states its scale, and its ticks lie where their numbers are coloured", () => {
    const payload = small([[-0.4, 0.4]]);
    const ramp = matrixRamp(payload, { palette: "viridis", scale: "sqrt" });
    expect(ramp.meaning).toBe("share, square-root scale");
    expect(ramp.ticks.map(({ value }) => value)).toEqual([-0.5, -0.1, 0, 0.1, 0.5]);
    for (const { value, place } of ramp.ticks) {
      const [index] = matrixIndices(small([[value, 0.5]]), "sqrt");
      expect(place * 252).toBeCloseTo(index, 6);
    }
  });

  it("embeds a picture with one pixel for each cell", () => {
    const svg = figureOf(matrixMime, small([[1, -1], [0, 1]]))!; // prettier-ignore
    const [, png] = /href="data:image\/png;base64,([^"]+)"/.exec(svg)!;
    const bytes = Buffer.from(png, "base64");
    expect([bytes.readUInt32BE(16), bytes.readUInt32BE(20)]).toEqual([2, 2]);
    const at = bytes.indexOf("IDAT");
    const lines = inflateSync(bytes.subarray(at + 4, at + 4 + bytes.readUInt32BE(at - 4)));
    expect([...lines]).toEqual([0, 252, 0, 0, 126, 252]);
  });

  it("fits into its width with long labels and many columns", () => {
    const labels = Array.from({ length: 300 }, (_, at) => `token-${at}-${"x".repeat(50)}`);
    const payload = matrix([new Array<number>(300).fill(1)], {
      ...{ title: "t", measure: "m", kind: "sequential" as const },
      ...{ rows: { name: "layer", labels: ["a layer with a name"] }, columns: { name: "token", labels } },
    });
    for (const width of [260, 400, 900]) {
      const { area } = matrixLayout(payload, width);
      expect(area.left + area.width).toBeLessThanOrEqual(width);
      expect(figureOf(matrixMime, payload, { widthPx: width })).not.toMatch(/NaN|Infinity|undefined/);
    }
  });
});

describe("the colours of differences", () => {
  const linear = (channel: number): number => {
    const share = channel / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  };
  const colours = differenceColours();
  const rgb = (at: number): [number, number, number] => [colours[3 * at], colours[3 * at + 1], colours[3 * at + 2]];
  const luminance = ([r, g, b]: readonly number[]): number =>
    0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
  /** What people without green receptors see, in linear light (Viénot, Brettel and Mollon 1999). */
  const deuteranopic = ([r, g, b]: readonly number[]): readonly number[] => {
    const [lr, lg, lb] = [linear(r), linear(g), linear(b)];
    return [0.29275 * lr + 0.70725 * lg, 0.29275 * lr + 0.70725 * lg, -0.02234 * lr + 0.02234 * lg + lb];
  };

  it("grow steadily darker to both sides of 0", () => {
    for (let at = 0; at + 4 <= 127; at += 4) {
      expect(luminance(rgb(at + 4))).toBeGreaterThan(luminance(rgb(at)));
      expect(luminance(rgb(250 - at))).toBeGreaterThan(luminance(rgb(254 - at)));
    }
  });

  it("differ between the sides for readers who do not tell red from green", () => {
    for (const away of [60, 90, 120]) {
      const [below, above] = [deuteranopic(rgb(127 - away)), deuteranopic(rgb(127 + away))];
      expect(below[2] / (below[0] + 1e-6)).toBeGreaterThan(1.5 * (above[2] / (above[0] + 1e-6)));
    }
  });
});
