import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { decodeNpz, figure, type FigureOptions } from "../../kernel/lib/index.js";
import { figureOf, presets } from "../../kernel/lib/figure/index.js";
import { headGridMime, matrixMime, panelsMime } from "../../kernel/lib/views/index.js";
import { example } from "../gallery/examples.js";

const folder = mkdtempSync(join(tmpdir(), "figures-"));
afterAll(() => rmSync(folder, { recursive: true }));

const shown = (name: string): object => {
  const { mime, payload } = example(name);
  return { [Symbol.for("Jupyter.display")]: () => Promise.resolve({ [mime]: payload, "text/plain": name }) };
};
const saved = async (name: string, file: string, options: FigureOptions = {}): Promise<Buffer> =>
  readFileSync(await figure(shown(name), options).save(join(folder, file)));

describe("a saved figure", () => {
  it("is the drawing that the browser makes, as SVG", async () => {
    const svg = (await saved("patching", "a.svg")).toString();
    expect(svg).toBe(figureOf(matrixMime, example("patching").payload));
  });

  it("is a PDF, and a PNG of the asked density that says where its numbers come from", async () => {
    expect((await saved("training", "a.pdf")).subarray(0, 8).toString("latin1")).toBe("%PDF-1.7");
    const file = join(folder, "b.png");
    await figure(shown("encoder"), { head: { layer: 1, head: 7 } }).save(file, { scale: 2 });
    const png = readFileSync(file);
    const svg = figureOf(headGridMime, example("encoder").payload, { head: { layer: 1, head: 7 } })!;
    expect(png.readUInt32BE(16)).toBe(Math.ceil(2 * Number(/width="([\d.]+)"/.exec(svg)?.[1])));
    expect(png.toString("utf8")).toContain("Attention pattern of head L1.H7");
    expect(png.toString("utf8")).toContain("model synthetic, seed 1");
  });

  it("is its numbers as CSV, JSON and npz", async () => {
    const lines = (await saved("patching", "a.csv")).toString().split("\r\n");
    expect(lines[0]).toBe("layer,head index,head,share of the logit difference recovered");
    expect(lines[1 + 9 * 12 + 6]).toBe("9,6,6,0.61");
    expect(lines[1 + 143]).toBe("11,11,11,");
    expect(JSON.parse((await saved("ablation", "a.json")).toString())).toEqual(example("ablation").payload);
    const { values } = decodeNpz(await saved("patching", "a.npz"));
    expect(values.shape).toEqual([12, 12]);
    expect(values.item(9, 6)).toBe(0.61);
    expect(values.item(11, 11)).toBeNaN();
    const { pattern_1: pattern } = decodeNpz(await saved("encoder", "b.npz"));
    expect(pattern.shape).toEqual([6, 12, 7, 7]);
    const row = Array.from({ length: 7 }, (_, key) => pattern.item(1, 7, 3, key)).reduce((sum, x) => sum + x, 0);
    expect(row).toBeCloseTo(1, 2);
  });

  it.each(["encoder", "pair", "training", "patching", "received", "ablation", "sinks"])(
    "of %s has the width of its preset at most, and no background",
    async (name) => {
      for (const [preset, { widthInches }] of Object.entries(presets)) {
        const svg = await figure(shown(name), { preset: preset as keyof typeof presets }).svg();
        expect(Number(/width="([\d.]+)"/.exec(svg)?.[1])).toBeLessThanOrEqual(96 * widthInches + 0.5);
        expect(svg).not.toContain('fill="#ffffff"');
      }
    },
  );

  it("of a report is one panel where one is named", async () => {
    const svg = (await saved("sinks", "p.svg", { panel: "layer × token" })).toString();
    expect(svg).toBe(figureOf(panelsMime, example("sinks").payload, { panel: "layer × token" }));
    expect((await saved("sinks", "p.csv", { panel: "ε-curves" })).toString()).toMatch(/^curve,x,y\r\nkey 0,0,1\r\n/);
    await expect(saved("sinks", "q.csv")).rejects.toThrow(/name one of "ε-curves", "layer × token"/);
    await expect(saved("sinks", "q.svg", { panel: "none" })).rejects.toThrow(/no panel "none"; known: ε-curves/);
  });

  it("is refused with the reason: endings, options, presets, and values without a figure", async () => {
    await expect(saved("sinks", "a.pfd")).rejects.toThrow(/unknown ending.*did you mean "pdf"/);
    expect(() => figure(shown("sinks"), { pallete: "greys" } as FigureOptions)).toThrow(/did you mean "palette"/);
    await expect(saved("patching", "a.svg", { preset: "nips" as "neurips" })).rejects.toThrow(
      /unknown preset "nips"; known: neurips/,
    );
    expect(() => figure({})).toThrow(/does not show itself/);
    const plain = { [Symbol.for("Jupyter.display")]: () => ({ "text/plain": "5" }) };
    await expect(figure(plain).svg()).rejects.toThrow(/has no figure/);
    await expect(figure(shown("patching")).save(join(folder, "a.png"), { scale: 99 })).rejects.toThrow(
      /at most 16, got 99/,
    );
  });
});
