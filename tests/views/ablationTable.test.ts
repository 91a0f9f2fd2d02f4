import { describe, expect, it } from "vitest";
import { ablationTable, ablationTableText, readAblationTable, type AblationTableInput } from "attention-lab/views";
import { syntheticAblation } from "../gallery/effects.js";

const row = { layer: 0, head: 1, mode: "zero", effect: -1, low: -2, high: NaN, p: 0.5, q: 1, nullShare: NaN };
const input = (more: object = {}): AblationTableInput => ({
  ...{ title: "t", metric: "loss", clean: [1, 2], rows: [{ ...row, perPrompt: [-1, -1] }], notes: [], provenance: {} },
  ...more,
});

describe("an ablation table", () => {
  it("is stored by columns, with nulls for what has no number", () => {
    const payload = ablationTable(input());
    expect(payload.columns).toMatchObject({ layer: [0], head: [1], mode: [0], high: [null], nullShare: [null] });
    expect(readAblationTable(JSON.parse(JSON.stringify(payload)))).toEqual(payload);
  });

  it("leaves the effects on single prompts out where they would not fit, and stays below a megabyte", () => {
    const clean = new Array<number>(200).fill(1.23456);
    const rows = Array.from({ length: 2_000 }, (_, at) => ({ ...row, head: at % 512, layer: Math.floor(at / 512), perPrompt: clean })); // prettier-ignore
    const payload = ablationTable(input({ clean, rows }));
    expect(payload.columns.perPrompt).toBeUndefined();
    expect(JSON.stringify(payload).length).toBeLessThan(1_000_000);
  });

  it("keeps the largest of too many effects, and says so", () => {
    const rows = Array.from({ length: 9_000 }, (_, at) => ({
      ...{ ...row, layer: Math.floor(at / 128), head: at % 128, perPrompt: [0, 0] },
      effect: at === 4 ? -9 : at / 9_000,
    }));
    const payload = ablationTable(input({ rows }));
    expect(payload.columns.effect).toHaveLength(8_000);
    expect(payload.columns.effect[0]).toBe(-9);
    expect(payload.notes[0]).toBe("The 8000 largest of 9000 effects; an export has all");
    expect(JSON.stringify(payload).length).toBeLessThan(1_000_000);
  });

  it("is not made of nothing, nor of effects on other prompts", () => {
    expect(() => ablationTable(input({ rows: [] }))).toThrow(/expected at least one row, got none/);
    expect(() => ablationTable(input({ clean: [1] }))).toThrow(/expected effects on 1 prompts, got 2 for L0\.H1/);
  });

  it("refuses a mode that has no name, heads without end, and columns of another length", () => {
    const payload = syntheticAblation();
    const changed = (change: object): unknown => ({ ...payload, columns: { ...payload.columns, ...change } });
    const all = (value: number): number[] => payload.columns.layer.map(() => value);
    expect(() => readAblationTable(changed({ mode: all(2) }))).toThrow(
      /columns\.mode: expected a whole number in 0…1, got 2/,
    );
    expect(() => readAblationTable(changed({ layer: all(511), head: all(511) }))).toThrow(
      /layers × heads: expected at most 16384/,
    );
    expect(() => readAblationTable(changed({ effect: [1] }))).toThrow(/columns\.effect: expected 144 entries, got 1/);
    expect(() => readAblationTable(changed({ perPrompt: [[]] }))).toThrow(/perPrompt: expected 144 entries/);
  });

  it("says the metric and the largest effects of each mode in text", () => {
    const text = ablationTableText(syntheticAblation());
    expect(text).toMatch(
      /^Head ablation of a synthetic decoder · logit difference 3\.\d+ as it is, over 24 prompts\n {2}zero: L2\.H6 -1\.\d+ \(-1\.\d+ … -1\.\d+\) · L4\.H7 0\.\d+/,
    );
    expect(text).toContain("\n  mean: L2.H6");
  });
});
