import { describe, expect, it } from "vitest";
import type { Mask } from "../../kernel/lib/attention/index.js";
import { and, masks, maskTensor, not, or } from "../../kernel/lib/attention/index.js";

const shown = (mask: Mask, length: number): string[] =>
  Array.from({ length }, (_, i) => Array.from({ length }, (__, j) => (mask.sees(i, j) ? "#" : ".")).join(""));

describe("masks", () => {
  it("causal, window, first keys, dilation, blocks, halo, prefix", () => {
    expect(shown(masks.causal(), 3)).toEqual(["#..", "##.", "###"]);
    expect(shown(masks.window({ length: 2 }), 4)).toEqual(["#...", "##..", ".##.", "..##"]);
    expect(shown(masks.window({ length: 2, sinks: 1 }), 4)).toEqual(["#...", "##..", "###.", "#.##"]);
    expect(shown(masks.dilated({ count: 2, step: 2 }), 5)).toEqual(["#....", ".#...", "#.#..", ".#.#.", "..#.#"]);
    expect(shown(masks.blocks({ length: 2 }), 4)).toEqual(["##..", "##..", "..##", "..##"]);
    expect(shown(masks.blocks({ length: 2, halo: 1 }), 4)).toEqual(["###.", "###.", ".###", ".###"]);
    expect(shown(masks.prefix({ length: 2 }), 4)).toEqual(["##..", "##..", "###.", "####"]);
    expect(shown(masks.documents([7, 7, 3]), 3)).toEqual(["##.", "##.", "..#"]);
  });

  it("stripes of an image, and frames of cross-attention", () => {
    const rows = masks.stripes({ shape: [2, 2], width: 1, direction: "rows" });
    const columns = masks.stripes({ shape: [2, 2], width: 1, direction: "columns" });
    expect(shown(rows, 4)).toEqual(["##..", "##..", "..##", "..##"]);
    expect(shown(columns, 4)).toEqual(["#.#.", ".#.#", "#.#.", ".#.#"]);
    const frames = masks.frames({ queries: 1, keys: 2 });
    expect([0, 1].map((query) => [0, 1, 2, 3].map((key) => frames.sees(query, key)))).toEqual([
      [true, true, false, false],
      [true, true, true, true],
    ]);
  });

  it("context that never asks, a condition laid over a picture, a subject and its keywords", () => {
    const context = masks.context({ length: 2 });
    expect([0, 1].map((query) => [0, 1, 2, 3].map((key) => context.sees(query, key)))).toEqual([
      [true, true, true, false],
      [true, true, true, true],
    ]);
    // A word, two patches, two tokens of the condition.
    const aligned = masks.aligned({ patches: 1, condition: 3, count: 2 });
    expect(shown(aligned, 5)).toEqual(["#####", "####.", "###.#", "##.##", "#.###"]);
    const keywords = masks.keywords({ subject: 3, count: 2, keywords: [1] });
    expect(shown(keywords, 5)).toEqual(["###..", "#####", "###..", ".#.##", ".#.##"]);
    expect(() => masks.keywords({ subject: 3, count: 2, keywords: [4] })).toThrow("4 is a token of the subject");
  });

  it("wide enough, each is its limit", () => {
    const all = not(and(masks.causal(), not(masks.causal())));
    const equal = (a: Mask, b: Mask): void => expect(shown(a, 12)).toEqual(shown(b, 12));
    equal(masks.window({ length: 12 }), masks.causal());
    equal(masks.dilated({ count: 12, step: 1 }), masks.causal());
    equal(masks.prefix({ length: 0 }), masks.causal());
    equal(masks.context({ length: 0 }), masks.causal());
    equal(masks.keywords({ subject: 3, count: 9, keywords: [0, 1, 2] }), all);
    equal(masks.aligned({ patches: 0, condition: 12, count: 12 }), all);
    equal(masks.prefix({ length: 12 }), all);
    equal(masks.blocks({ length: 12 }), all);
    equal(masks.blocks({ length: 3, halo: 12 }), all);
    equal(masks.documents(new Array<number>(12).fill(0)), all);
    equal(
      masks.neighbourhood({ shape: [3, 4], window: 3 }),
      masks.neighbourhood({ shape: [3, 4], window: 3, dilation: 1 }),
    );
    equal(masks.neighbourhood({ shape: [12], window: 12 }), all);
    equal(masks.stripes({ shape: [3, 4], width: 3, direction: "rows" }), all);
  });

  it("every query of a neighbourhood sees exactly so many keys, itself among them; odd, even and dilated", () => {
    for (const [shape, window, dilation] of [
      [[9], 3, 1],
      [[9], 4, 1],
      [[11], 3, 2],
      [[5, 6], 3, 1],
      [[6, 7], 2, 3],
    ] as const) {
      const mask = masks.neighbourhood({ shape, window, dilation });
      const tokens = shape.reduce((a: number, b: number) => a * b, 1);
      const tensor = maskTensor(mask, tokens, tokens).numbers();
      for (let query = 0; query < tokens; query++) {
        const row = tensor.subarray(query * tokens, (query + 1) * tokens);
        expect(row.reduce((a, b) => a + b, 0)).toBe(window ** shape.length);
        expect(row[query]).toBe(1);
      }
    }
    expect(shown(masks.neighbourhood({ shape: [3], window: 1 }), 3)).toEqual(["#..", ".#.", "..#"]);
  });

  it("obey and, or, not", () => {
    const [a, b] = [masks.causal(), masks.blocks({ length: 3 })];
    const equal = (x: Mask, y: Mask): void => expect(shown(x, 10)).toEqual(shown(y, 10));
    equal(not(not(a)), a);
    equal(not(and(a, b)), or(not(a), not(b)));
    equal(and(a, or(a, b)), a);
    equal(or(a, b), or(b, a));
    expect(and(a, b).name).toBe("causal and blocks of 3");
  });

  it("name what does not fit", () => {
    expect(() => masks.window({ length: 0 })).toThrow("window: length must be a whole number of at least 1, got 0");
    expect(() => masks.neighbourhood({ shape: [4], window: 5 })).toThrow("do not fit an axis of 4");
    expect(() => masks.stripes({ shape: [3, 4], width: 2, direction: "rows" })).toThrow("3 rows are no multiple of 2");
    expect(() => shown(masks.documents([1]), 2)).toThrow("no id for position 1");
  });
});
