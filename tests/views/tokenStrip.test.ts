import { describe, expect, it } from "vitest";
import { largestKeys, PayloadError, readLines, tokenStrip, type TokenStripInput } from "attention-lab/views";
import { syntheticPattern, tokensOf } from "../gallery/headGrid.js";
import { syntheticStrip } from "../gallery/tokenStrip.js";

const tokens = tokensOf(12);
const pattern = syntheticPattern(12, 12, true, [], 5);
const row = (query: number): Float32Array => pattern.subarray(query * 12, (query + 1) * 12);
const strip = (change: Partial<TokenStripInput> = {}, budgetBytes?: number) =>
  tokenStrip(
    { title: "t", measure: "m", kind: "sequential", tokens, values: new Float32Array(12), ...change },
    budgetBytes === undefined ? {} : { budgetBytes },
  );
const attention = { caption: "layer 0, head 0", causal: true, row };

describe("a token strip", () => {
  it("keeps every weight in 16 bits where they fit, along both sides", () => {
    const { attention: stored } = strip({ attention });
    const lines = readLines(stored!, 12);
    expect([lines.isWhole, lines.queries, lines.keys]).toEqual([true, 12, 12]);
    for (let q = 0; q < 12; q++) {
      for (let k = 0; k < 12; k++) {
        expect(Math.abs(lines.row(q).weights[k] - pattern[q * 12 + k])).toBeLessThanOrEqual(2 ** -11);
        expect(lines.column(k).weights[q]).toBe(lines.row(q).weights[k]);
      }
    }
    expect(stored!.largest).toBe(Math.max(...pattern));
  });

  it("keeps the largest weights of each query where they do not, and says what all of them sum to", () => {
    const whole = strip({ attention });
    const { attention: stored } = strip({ attention }, JSON.stringify(whole).length - 100);
    expect(stored!.kept).toBeLessThan(12);
    const lines = readLines(stored!, 12);
    for (let q = 0; q < 12; q++) {
      const order = Array.from(row(q)).sort((a, b) => b - a);
      const kept = order.slice(0, stored!.kept);
      expect(lines.row(q).drawn).toBeCloseTo(
        kept.reduce((sum, weight) => sum + weight, 0),
        3,
      );
      expect(Math.max(...lines.row(q).weights)).toBeCloseTo(order[0], 3);
      expect(stored!.mass[q]).toBeCloseTo(1, 5);
    }
  });

  it("stays within a megabyte at 2048 tokens, and holds most of every row", () => {
    const payload = syntheticStrip(2048);
    expect(JSON.stringify(payload).length).toBeLessThanOrEqual(1_000_000);
    expect(payload.attention!.kept).toBeGreaterThan(50);
  });

  it("finds the largest keys, in order of the text, the earlier of equal ones", () => {
    expect(largestKeys(Float32Array.of(0.1, 0.5, 0.5, 0.4), 2)).toEqual([1, 2]);
    expect(largestKeys(Float32Array.of(1, 1, 1), 2)).toEqual([0, 1]);
    expect(largestKeys(Float32Array.of(1), 9)).toEqual([0]);
  });

  it.each<[string, Partial<TokenStripInput>, RegExp]>([
    ["another number of values", { values: [1] }, /one value per token, got 1 for 12 tokens/],
    ["a negative amount", { values: new Float32Array(12).fill(-1) }, /amounts ≥ 0, got -1/],
    ["no tokens", { tokens: [] }, /1…32768 tokens, got 0/],
    ["a weight that is not finite", { attention: { ...attention, row: () => new Float32Array(12).fill(NaN) } }, /query 0: expected 12 finite weights ≥ 0, got NaN/], // prettier-ignore
    ["a short row", { attention: { ...attention, row: () => new Float32Array(3) } }, /got 3 weights/],
  ])("refuses %s", (_, change, reason) => {
    expect(() => strip(change)).toThrow(PayloadError);
    expect(() => strip(change)).toThrow(reason);
  });

  it("leaves out values that are not finite", () => {
    expect(strip({ values: [NaN, ...new Array<number>(11).fill(2)] }).values.slice(0, 2)).toEqual([null, 2]);
  });
});
