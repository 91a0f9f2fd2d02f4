import { describe, expect, it } from "vitest";
import { figureOf, shadeLevel, shades } from "attention-lab/figure";
import { tokenStripMime } from "attention-lab/views";
import { manyTokens, syntheticLosses, syntheticStrip } from "../gallery/tokenStrip.js";

/** Relative luminance of "#rrggbb", WCAG 2.2. */
const lightOf = (fill: string): number =>
  fill
    .match(/[\da-f]{2}/g)!
    .map((part) => parseInt(part, 16) / 255)
    .map((share) => (share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4))
    .reduce((sum, part, at) => sum + part * [0.2126, 0.7152, 0.0722][at], 0);

describe("shades of words", () => {
  it("grow darker with amounts, and letters stay readable on each (WCAG AA)", () => {
    const fills = shades("sequential").map(({ fill }) => lightOf(fill));
    // Colours are whole numbers: one step may round up a little.
    fills.slice(1).forEach((light, at) => expect(light).toBeLessThan(fills[at] + 0.0015));
    fills.slice(4).forEach((light, at) => expect(light).toBeLessThan(fills[at]));
    for (const kind of ["sequential", "diverging"] as const) {
      for (const { fill, ink } of shades(kind)) {
        const letters = ink === "#ffffff" ? 1 : 0;
        const [low, high] = [lightOf(fill), letters].sort((a, b) => a - b);
        expect((high + 0.05) / (low + 0.05)).toBeGreaterThan(4.5);
      }
    }
  });

  it("end at the top, and differences have 0 in the middle", () => {
    const look = { scale: "linear", top: 2 } as const;
    expect([0, 1, 2, 9].map((value) => shadeLevel(value, { ...look, kind: "sequential" }))).toEqual([0, 126, 252, 252]);
    expect([-2, 0, null, 2].map((v) => shadeLevel(v, { ...look, kind: "diverging" }))).toEqual([0, 126, 126, 252]);
    expect(shadeLevel(0.5, { kind: "sequential", scale: "sqrt", top: 2 })).toBe(126);
  });
});

describe("the picture of a strip", () => {
  it("is drawn as recorded", async () => {
    await expect(figureOf(tokenStripMime, syntheticLosses())! + "\n").toMatchFileSnapshot("snapshots/losses.svg");
  });

  it("is shaded by one token where that is asked for", () => {
    const payload = syntheticStrip(20);
    expect(figureOf(tokenStripMime, payload, { token: { at: 9 } })).toContain("looks, square-root scale");
    expect(figureOf(tokenStripMime, payload, { token: { at: 9, along: "key" } })).toContain(
      "how much each token looks",
    );
    expect(() => figureOf(tokenStripMime, payload, { token: { at: 20 } })).toThrow(/expected 0…19, got 20/);
    expect(() => figureOf(tokenStripMime, syntheticLosses(), { token: { at: 1 } })).toThrow(/no attention/);
  });

  it("draws thousands of tokens, and says where it stops", () => {
    const svg = figureOf(tokenStripMime, manyTokens(5_000))!;
    expect(svg.match(/<rect [^>]*rx="2"/g)).toHaveLength(4_000);
    expect(svg).toContain("the first 4000 of 5000 tokens");
  });
});
