import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Model } from "../../../kernel/lib/index.js";
import { headDistances, headRoles, interventions, load, tasks, Tensor } from "../../../kernel/lib/index.js";
import { matrixMime, type MatrixPayload } from "../../../kernel/lib/views/index.js";
import { readOracle } from "../../models/oracle.js";
import { even, planted, plantedEverywhere, shown } from "./planted.js";

const period = 6;
const input = tasks.repeatedTokens({ count: 1, period, high: 90 });
const [ids] = input.inputIds;
const length = ids.length;

/** Head 0 looks one back, 1 at the copy, 2 behind the copy, 3 at itself; where there is no such key, at key 0. */
const perfect = (head: number, q: number, k: number): number => {
  const offset = [1, period, period - 1, 0][head];
  return k === (q >= offset ? q - offset : 0) ? 1 : 0;
};

describe.each(["gpt2", "llama_rope3"])("roles of heads of %s", (name) => {
  let model: Model;
  beforeAll(async () => {
    model = await load((await readOracle(name)).folder);
  });
  afterAll(() => model.dispose());

  it("perfect heads score exactly 1 on their diagonal, and what follows from the formula by mass", async () => {
    const scores = await headRoles(model, input, { period, interventions: [planted(1, 4, length, perfect)] });
    const at = (head: number, measure: string): number => scores.at(1, head).values[measure];
    expect(["previous", "duplicate", "induction"].map((role, head) => at(head, `${role} diagonal`))).toEqual([1, 1, 1]);
    // By mass row 0, and rows without an earlier copy, count as well: 11 of 12 and 6 of 12.
    expect(at(0, "previous")).toBeCloseTo((length - 1) / length, 6);
    expect(at(1, "duplicate")).toBeCloseTo(period / length, 6);
    expect(at(2, "induction")).toBeCloseTo((length - period) / length, 6);
    expect(at(2, "induction by occurrence")).toBe(1);
    // Without the mass on token 0 (rows that found nothing, and one real hit), what is left is all in its place.
    expect(at(2, "induction without first")).toBe(1);
    expect(at(3, "induction by occurrence")).toBe(0);
    expect(at(3, "previous diagonal")).toBe(0);
  });

  it("even attention scores the analytic value", async () => {
    const scores = await headRoles(model, input, {
      period,
      interventions: plantedEverywhere(model.layers, 4, length, even),
    });
    const mean = (xs: number[]): number => xs.reduce((a, b) => a + b, 0) / xs.length;
    const rows = [...ids.keys()];
    const expected = {
      previous: mean(rows.map((q) => (q > 0 ? 1 / (q + 1) : 0))),
      "previous diagonal": mean(rows.slice(1).map((q) => 1 / (q + 1))),
      "induction diagonal": mean(rows.slice(period - 1).map((q) => 1 / (q + 1))),
      induction: mean(rows.map((q) => (q >= period ? 1 / (q + 1) : 0))),
    };
    for (const [measure, value] of Object.entries(expected)) {
      expect(scores.uniform[measure], measure).toBeCloseTo(value, 12);
      for (const row of scores.rows) expect(row.values[measure], measure).toBeCloseTo(value, 6);
    }
  });

  it("a list is the mean of its prompts with the same options; nothing is changed, and the same comes again", async () => {
    const rows = [[5, 6, 7, 5, 6, 7], [11, 12, 11, 12, 11, 12, 11, 12]]; // prettier-ignore
    const frozen = Object.freeze({ inputIds: Object.freeze(rows.map((row) => Object.freeze(row))) });
    const both = await headRoles(model, frozen, { period: 2 });
    const single = await Promise.all(rows.map((row) => headRoles(model, { inputIds: [row] }, { period: 2 })));
    for (const { layer, head, values } of both.rows) {
      for (const measure of both.measures) {
        const alone = single.map((each) => each.at(layer, head).values[measure]);
        expect(values[measure], measure).toBeCloseTo((alone[0] + alone[1]) / 2, 12);
      }
    }
    expect((await headRoles(model, frozen, { period: 2 })).toCsv()).toBe(both.toCsv());
  });

  it("an occurrence that never was says nothing", async () => {
    const scores = await headRoles(model, { inputIds: [[1, 2, 3, 4]] });
    expect(scores.rows.every(({ values }) => Number.isNaN(values["induction by occurrence"]))).toBe(true);
    expect(scores.measures).not.toContain("duplicate diagonal");
  });
});

describe("tables of head scores", () => {
  let model: Model;
  beforeAll(async () => {
    model = await load((await readOracle("gpt2")).folder);
  });
  afterAll(() => model.dispose());

  it("sort, select, export and show themselves", async () => {
    const scores = await headRoles(model, { inputIds: [[5, 6, 7, 5, 6], [9, 8, 9, 8, 9]] }); // prettier-ignore
    const sorted = scores.sorted("previous").rows.map(({ values }) => values["previous"]);
    expect(sorted).toEqual([...sorted].sort((a, b) => b - a));
    const threshold = sorted[3];
    expect(scores.above(threshold, "previous").rows).toHaveLength(3);
    const [header, first] = scores
      .toCsv()
      .split("\r\n")
      .map((line) => line.split(","));
    expect(header.slice(0, 5)).toEqual(["layer", "head", "induction", "induction low", "induction high"]);
    const [low, high] = scores.interval(0, 0);
    expect(first.slice(2, 5).map(Number)).toEqual([scores.at(0, 0).values["induction"], low, high]);
    expect(low <= Number(first[2]) && Number(first[2]) <= high).toBe(true);
    expect(scores.toLatex()).toMatch(/\\toprule[\s\S]*\\midrule[\s\S]*\\bottomrule/);
    expect(scores.toMarkdown()).toMatch(/^\| layer \| head \| induction \|/);
    expect((await shown(scores))["text/plain"]).toMatch(
      /^Roles of heads of gpt2, 2 prompts\n[\s\S]*even attention would score: induction 0\./,
    );
    const figure = scores.sorted("previous");
    const payload = ((await shown(figure)) as Record<string, unknown>)[matrixMime] as MatrixPayload;
    expect(payload).toMatchObject({ measure: "previous", kind: "sequential", rows: { labels: ["0", "1", "2"] } });
    expect(payload.values[1 * 4 + 3]).toBeCloseTo(scores.at(1, 3).values["previous"], 5);
    expect(scores.above(threshold, "previous").grid().flat().filter(Number.isFinite)).toHaveLength(3);
    expect(() => scores.sorted("indcution")).toThrow(/unknown measure "indcution"; did you mean "induction"\?/);
    expect(() => scores.at(9, 0)).toThrow(/no layer 9, head 0/);
    await expect(headRoles(model, { inputIds: [[1, 2]] }, { period: 0 })).rejects.toThrow(/period must be .* got 0/);
    await expect(headRoles(model, [])).rejects.toThrow(/at least one prompt/);
  });

  it("a head that stands apart is found, and heads that are alike are at no distance", async () => {
    const tokens = { inputIds: [[5, 6, 7, 8]] };
    const z = new Float32Array(4 * 4 * 12).map((_, i) => (Math.floor(i / 48) === 2 ? 5 : 1));
    const apart = interventions.replace({ at: "blocks.1.attn.z", with: new Tensor("float32", [1, 4, 4, 12], z) });
    const same = interventions.replace({
      at: "blocks.2.attn.z",
      with: new Tensor("float32", [1, 4, 4, 12], new Float32Array(192).fill(3)),
    });
    const found = await headDistances(model, tokens, { interventions: [apart, same] });
    // Centre 2, so that head 2 is 3·√12 away, the others √12.
    expect(found.at(1, 2).values["distance"]).toBeCloseTo(3 * Math.sqrt(12), 5);
    expect(found.at(1, 0).values["distance"]).toBeCloseTo(Math.sqrt(12), 5);
    expect(found.at(1, 2).values["share"]).toBeCloseTo(1 / 2, 6);
    expect(found.at(1, 2).values["cosine"]).toBeCloseTo(1, 6);
    for (const head of [0, 1, 2, 3]) {
      expect(found.at(2, head).values).toMatchObject({ distance: 0, share: 0 });
    }
  });
});
