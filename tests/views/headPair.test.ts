import { describe, expect, it } from "vitest";
import { headPair, meanVariation, readPair, type HeadPairInput } from "attention-lab/views";
import { seeded, syntheticPattern, tokensOf } from "../gallery/headGrid.js";
import { syntheticHeadPair } from "../gallery/headPair.js";

const tokens = tokensOf(9);
const pattern = (seed: number): Float32Array => syntheticPattern(9, 9, true, [], seed);
const pair = (a: Float32Array, b: Float32Array, change: Partial<HeadPairInput> = {}, budgetBytes = 1_000_000) =>
  headPair(
    {
      ...{ title: "t", names: ["A", "B"] as const, causal: true, queryTokens: tokens, keyTokens: tokens },
      patterns: [a, b],
      ...change,
    },
    { budgetBytes },
  );

describe("two heads", () => {
  it("are 0 apart where they are equal", () => {
    const payload = pair(pattern(3), pattern(3));
    expect([meanVariation(payload), payload.jensenShannonNats, payload.largest]).toEqual([0, 0, []]);
  });

  it("are 1 and ln 2 apart where no key is common to them", () => {
    const one = (key: number): Float32Array => new Float32Array(81).map((_, at) => (at % 9 === key ? 1 : 0));
    const payload = pair(one(0), one(4), { causal: false });
    expect(meanVariation(payload)).toBe(1);
    expect(payload.jensenShannonNats).toBeCloseTo(Math.LN2, 6);
    expect(payload.largest).toHaveLength(8);
  });

  it("are as far apart as the formulas say", () => {
    const [a, b] = [pattern(3), pattern(4)];
    const payload = pair(a, b);
    let divergence = 0;
    for (let q = 0; q < 9; q++) {
      let variation = 0;
      for (let k = 0; k < 9; k++) {
        const [p, r] = [a[9 * q + k], b[9 * q + k]];
        variation += Math.abs(p - r) / 2;
        for (const x of [p, r]) if (x > 0) divergence += (x * Math.log((2 * x) / (p + r))) / 2;
      }
      expect(payload.totalVariation[q]).toBeCloseTo(variation, 5);
    }
    expect(payload.jensenShannonNats).toBeCloseTo(divergence / 9, 5);
    const order = Array.from(a, (weight, at) => Math.abs(weight - b[at])).sort((x, y) => y - x);
    payload.largest.forEach((found, at) => expect(Math.abs(found.a - found.b)).toBeCloseTo(order[at], 6));
  });

  it("are stored in full where they fit, else the farthest difference of each square", () => {
    const [a, b] = [pattern(3), pattern(4)];
    const whole = readPair(pair(a, b));
    a.forEach((weight, at) => expect(whole.difference[at]).toBeCloseTo(weight - b[at], 3));
    const pooled = pair(a, b, {}, JSON.stringify(pair(a, b)).length - 300);
    expect(pooled.block).toBeGreaterThan(1);
    const { rows, columns, difference } = readPair(pooled);
    const { block } = pooled;
    for (let at = 0; at < rows * columns; at++) {
      let farthest = 0;
      for (let q = 0; q < 81; q++) {
        const here = Math.floor(Math.floor(q / 9) / block) * columns + Math.floor((q % 9) / block);
        if (here === at && Math.abs(a[q] - b[q]) > Math.abs(farthest)) farthest = a[q] - b[q];
      }
      expect(difference[at]).toBeCloseTo(farthest, 3);
    }
    expect(JSON.stringify(syntheticHeadPair(700)).length).toBeLessThanOrEqual(1_000_000);
  });

  it("refuses weights and tokens that do not agree", () => {
    const random = seeded(1);
    expect(() => pair(new Float32Array(80), pattern(1))).toThrow(/expected 9 × 9 weights and tokens of A and of B/);
    expect(() => pair(pattern(1), pattern(1), { otherKeyTokens: ["x"] })).toThrow(/expected 9 × 9/);
    expect(() =>
      pair(
        pattern(1),
        new Float32Array(81).map(() => -random()),
      ),
    ).toThrow(/B: expected finite weights ≥ 0/);
    expect(() => pair(new Float32Array(0), new Float32Array(0), { queryTokens: [] })).toThrow(/1…65536 tokens, got 0/);
  });
});
