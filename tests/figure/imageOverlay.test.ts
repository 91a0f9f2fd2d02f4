import { inflateSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { drawImageOverlay, figureOf, imageOverlayLayout, inks, overlayWeights } from "attention-lab/figure";
import { imageOverlay, imageOverlayMime } from "attention-lab/views";
import { operators } from "../../kernel/figure/pdf/content.js";
import type { Resources } from "../../kernel/figure/pdf/resources.js";
import { imageOverlayExamples } from "../gallery/imageOverlay.js";

const white = { width: 2, height: 1, data: new Uint8Array(6).fill(255) };
const weights = Float32Array.of(1, 0, 0.5, 0.25);
const payload = imageOverlay(white, { rows: 1, columns: 2 }, ["a", "b"], [{ name: "m", layer: -1, head: -1, weights }], { title: "t" }); // prettier-ignore
const look = { width: 300, ink: inks.paper, palette: "greys", scale: "linear" } as const;

/** Indices of the picture of weights, which is the second. */
function weightIndices(svg: string): readonly number[] {
  const [, [, png]] = [...svg.matchAll(/href="data:image\/png;base64,([^"]+)"/g)];
  const bytes = Buffer.from(png, "base64");
  const at = bytes.indexOf("IDAT");
  return [...inflateSync(bytes.subarray(at + 4, at + 4 + bytes.readUInt32BE(at - 4)))].slice(1);
}

describe("attention over a picture", () => {
  it("looks as recorded", async () => {
    await expect(figureOf(imageOverlayMime, imageOverlayExamples["overlay"]())! + "\n").toMatchFileSnapshot(
      "snapshots/image-overlay.svg",
    );
  });

  it("lays one square for each patch over the picture, as opaque as is asked for", () => {
    expect(weightIndices(drawImageOverlay(payload, look))).toEqual([255, 0]);
    // Half of 255, but for the eight bits in which weights are stored.
    const [first, second] = weightIndices(drawImageOverlay(payload, { ...look, query: 1 }));
    expect([255 - first, Math.abs(second - 127.5)].every((error) => error <= 1.5)).toBe(true);
    for (const opacity of [0, 0.3, 1]) {
      expect(drawImageOverlay(payload, { ...look, opacity })).toContain(` opacity="${opacity}" preserveAspectRatio`);
    }
  });

  it("is as opaque in a PDF", () => {
    const resources = { opacities: [], images: [], fonts: {} } as unknown as Resources;
    const [, href] = /href="([^"]+)"/.exec(drawImageOverlay(payload, look))!;
    const node = {
      name: "image",
      attributes: { href, width: "2", height: "1", opacity: "0.6" },
      children: [],
      text: "",
    };
    expect(operators(node, resources, { fill: "#000000" })).toBe("q /G0 gs 2 0 0 -1 0 1 cm /I0 Do Q\n");
    expect(resources.opacities).toEqual([0.6]);
  });

  it("shows the query that is asked for, and frames its patch", () => {
    expect([...overlayWeights(payload, 0, 1)].map((weight) => Number(weight.toFixed(2)))).toEqual([0.5, 0.25]);
    const { left, width } = imageOverlayLayout(payload, 300);
    const framed = drawImageOverlay(payload, { ...look, query: 1 });
    expect(framed).toContain(`<rect x="${left + width / 2}"`);
    expect(figureOf(imageOverlayMime, payload, { overlay: { query: 1 } })).toContain("attention of b");
    expect(() => figureOf(imageOverlayMime, payload, { overlay: { map: 1 } })).toThrow(
      /map out of range; expected 0…0/,
    );
    expect(() => figureOf(imageOverlayMime, payload, { overlay: { opacity: 2 } })).toThrow(/opacity must be in 0…1/);
  });

  it("draws round the mask, or round the patches of large weights", () => {
    const outline = (options: object, svg = figureOf(imageOverlayMime, masked, { overlay: options })!): string =>
      /class="outline" d="([^"]*)"/.exec(svg)?.[1] ?? "";
    const mask = { width: 2, height: 1, data: [0, 1] };
    const masked = imageOverlay(white, { rows: 1, columns: 2 }, ["a", "b"], [{ name: "m", layer: -1, head: -1, weights }], { title: "t", mask }); // prettier-ignore
    const { left, top, width, height } = imageOverlayLayout(masked, 484);
    const [middle, right, bottom] = [left + width / 2, left + width, top + height];
    const square = (from: number, to: number): string =>
      `M${from} ${top}H${to}M${from} ${bottom}H${to}M${from} ${top}V${bottom}M${to} ${top}V${bottom}`;
    expect(outline({})).toBe(square(middle, right));
    expect(outline({ outline: "none" })).toBe("");
    expect(outline({ query: 1, outline: 0.6 })).toBe(square(left, middle));
    expect(outline({ query: 1, outline: 0.4 })).toBe(square(left, right));
    expect(() => outline({ outline: 2 })).toThrow(/outline must be a share in 0…1/);
    expect(() => figureOf(imageOverlayMime, payload, { overlay: { outline: "mask" } })).toThrow(/no mask/);
  });
});
