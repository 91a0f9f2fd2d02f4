import { describe, expect, it } from "vitest";
import { figureOf, type FigureOptions } from "attention-lab/figure";
import { headGrid, headGridMime, headGridsMime } from "attention-lab/views";
import { headGridExamples } from "../gallery/headGrid.js";
import { syntheticPair } from "../gallery/headGrids.js";

const drawn = (name: string, options: FigureOptions = {}): string =>
  figureOf(headGridMime, headGridExamples[name](), options)!;

describe("figureOf", () => {
  it.each<[string, string, FigureOptions]>([
    ["encoder", "encoder", {}],
    ["encoder-head", "encoder", { sample: 1, head: { layer: 1, head: 7 }, palette: "cividis", scale: "linear" }],
    ["small-greys", "small", { palette: "greys" }],
  ])("draws %s as recorded", async (file, name, options) => {
    await expect(drawn(name, options) + "\n").toMatchFileSnapshot(`snapshots/${file}.svg`);
  });

  it("names fonts for letters that DejaVu lacks, and only then", () => {
    const tokens = ["猫", "が", "座る"];
    const grid = headGrid({ title: "t", layers: 1, heads: 1, causal: false, provenance: {}, samples: [{ queryTokens: tokens, keyTokens: tokens, pattern: () => new Float32Array(9).fill(1 / 3) }] }); // prettier-ignore
    const families = (svg: string): string => /font-family="([^"]+)"/.exec(svg)![1];
    expect(families(figureOf(headGridMime, grid, { head: { layer: 0, head: 0 } })!)).toContain("Noto Sans CJK");
    expect(families(drawn("small"))).toBe("DejaVu Sans, Verdana, sans-serif");
  });

  it("draws several grids one below the other as recorded", async () => {
    const svg = figureOf(headGridsMime, syntheticPair())!;
    await expect(svg + "\n").toMatchFileSnapshot("snapshots/pair.svg");
    expect(svg.match(/<svg /g)).toHaveLength(4);
    expect(() => figureOf(headGridsMime, syntheticPair(), { head: { layer: 0, head: 0 } })).toThrow(RangeError);
  });

  it("does not know other MIME types, and inherited names are no types", () => {
    expect(figureOf("application/json", {})).toBeUndefined();
    expect(figureOf("constructor", {})).toBeUndefined();
  });

  it("throws on an invalid payload and on a head that is not there", () => {
    expect(() => figureOf(headGridMime, { version: "9.0" })).toThrow(/version 1\.x/);
    expect(() => drawn("small", { head: { layer: 1, head: 0 } })).toThrow(/layer out of range; expected 0…0, got 1/);
    expect(() => drawn("small", { sample: 1 })).toThrow(/sample out of range/);
  });

  it("says in words what is drawn and what is not exact", () => {
    const svg = drawn("long");
    expect(svg).toContain("<title>Attention patterns of Synthetic long input</title>");
    expect(svg).toMatch(/<desc>12 layers × 12 heads · 512 tokens\. Rows are layers/);
    expect(svg).toContain("each square shows the largest of 8 × 8 weights");
    expect(svg).toContain("weights stored in 8 bits");
    expect(svg).toContain("square-root scale; largest ");
  });

  it("keeps hostile tokens and texts text", () => {
    const evil = '</text><script>alert(1)</script>&"\u0000\uD800';
    const payload = headGrid({
      title: evil,
      layers: 1,
      heads: 1,
      causal: false,
      samples: [{ text: evil, queryTokens: [evil], keyTokens: [evil], pattern: () => Float32Array.of(1) }],
      provenance: { [evil]: evil },
    });
    for (const options of [{}, { head: { layer: 0, head: 0 } }]) {
      const svg = figureOf(headGridMime, payload, options)!;
      expect(svg).not.toContain("<script");
      expect(svg).not.toContain("\u0000");
      expect(svg.match(/<text /g)!.length).toBe(svg.match(/<\/text>/g)!.length);
    }
  });

  it("fits into the width it is given, from one head to many", () => {
    const tokens = Array.from({ length: 9 }, (_, at) => `t${at}`);
    for (const [layers, heads] of [
      [1, 1],
      [2, 64],
      [40, 40],
    ] as const) {
      const payload = headGrid({
        title: "Sizes",
        layers,
        heads,
        causal: true,
        samples: [{ queryTokens: tokens, keyTokens: tokens, pattern: () => new Float32Array(81).fill(1 / 9) }],
        provenance: {},
      });
      const [, width] = /width="([\d.]+)"/.exec(figureOf(headGridMime, payload, { widthPx: 700 })!)!;
      expect(Number(width)).toBeLessThanOrEqual(700);
    }
  });
});
