import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { decodeTile } from "attention-lab/views";
import type { Model, Run } from "../../kernel/lib/index.js";
import { load } from "../../kernel/lib/index.js";
import { createSharedRuns, questions } from "../../kernel/lib/live/index.js";
import { readOracle } from "../models/oracle.js";

/** The second prompt is shorter: its padding must not show. */
const input = { inputIds: [[5, 6, 7, 8, 9], [11, 12, 13, 0, 0]], attentionMask: [[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]] }; // prettier-ignore
const head = { stack: "", layer: 1, head: 2 };

let model: Model;
let run: Run;
beforeAll(async () => {
  model = await load((await readOracle("gpt2")).folder);
  run = await model.run(input);
});
afterAll(() => model.dispose());

const weightOf = (prompt: number, query: number, key: number): number =>
  run.at("blocks.1.attn.pattern").item(prompt, 2, query, key);

describe("what a figure asks about its run", () => {
  it("tile: every weight in 16 bits, padding left out", () => {
    const { data, buffers } = questions["tile"](run, { ...head, sample: 1, coarseness: 0 });
    expect(data).toEqual({ rows: 3, columns: 3, block: 1 });
    const [kept, weights] = buffers!;
    // A causal pattern: half of it is 0, and is not sent.
    expect(weights).toHaveLength(2 * 6);
    decodeTile({ kept, weights }, 3, 3)!.forEach((value, at) => {
      expect(Math.abs(value - weightOf(1, Math.floor(at / 3), at % 3))).toBeLessThanOrEqual(2 ** -11);
    });
  });

  it("tile: the largest weight of each square where it is coarser", () => {
    const { data, buffers } = questions["tile"](run, { ...head, sample: 0, coarseness: 2 });
    expect(data).toEqual({ rows: 2, columns: 2, block: 3 });
    const largest = Math.max(...[0, 1, 2].flatMap((q) => [0, 1, 2].map((k) => weightOf(0, q, k))));
    const [kept, weights] = buffers!;
    expect(Math.abs(decodeTile({ kept, weights }, 2, 2)![0] - largest)).toBeLessThanOrEqual(2 ** -11);
  });

  it("weight: the number as the run holds it, where it is, and its rank", () => {
    const asked = { ...head, sample: 0, coarseness: 0, row: 4, column: 1 };
    const rank = 1 + [0, 1, 2, 3, 4].filter((key) => weightOf(0, 4, key) > weightOf(0, 4, 1)).length;
    expect(questions["weight"](run, asked).data).toEqual({ query: 4, key: 1, weight: weightOf(0, 4, 1), rank });
    const { query, key, weight } = questions["weight"](run, { ...asked, coarseness: 1, row: 1, column: 0 }).data;
    expect(weight).toBe(Math.max(...[2, 3].flatMap((q) => [0, 1].map((k) => weightOf(0, q, k)))));
    expect(weight).toBe(weightOf(0, query as number, key as number));
  });

  it("known: how heads can be taken out of this model", async () => {
    expect(questions["known"](run, {}).data).toEqual({ modes: ["zero", "mean", "uniform", "bos", "zeroPattern"] });
    const pair = await load((await readOracle("t5")).folder);
    const both = await pair.run({ inputIds: [[3, 4, 5, 1]], decoderInputIds: [[0, 7]] });
    expect(questions["known"](both, {}).data).toEqual({ modes: ["zero", "mean"] });
    await pair.dispose();
  });

  it.each([
    [{ layer: 3 }, /layer must be a whole number in 0 … 2, got 3/],
    [{ head: -1 }, /head must be a whole number/],
    [{ sample: 2 }, /prompt must be a whole number in 0 … 1, got 2/],
    [{ sample: 0.5 }, /sample must be a whole number/],
    [{ coarseness: 1e9 }, /coarseness must be a whole number in 0 … 4/],
    [{ stack: "decoder" }, /expected stack: one of ""/],
    [{ stack: 7 }, /stack must be a text/],
  ])("tile refuses %j", (change, reason) => {
    expect(() => questions["tile"](run, { ...head, sample: 0, coarseness: 0, ...change })).toThrow(reason);
  });
});

describe("shared runs", () => {
  it("have one name each, and are found by it", () => {
    let made = 0;
    const runs = createSharedRuns({ createName: () => `run-${++made}` });
    expect([runs.share(run), runs.share(run)]).toEqual(["run-1", "run-1"]);
    expect(runs.find("run-1")).toBe(run);
    expect(runs.find("run-2")).toBeUndefined();
  });

  it("are kept within a budget, the latest; the others only while something else holds them", async () => {
    setFlagsFromString("--expose-gc");
    const collect = runInNewContext("gc") as () => void;
    const nextTurn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0));
    const runs = createSharedRuns({ createName: (() => { let made = 0; return () => `${++made}`; })(), budgetBytes: 2 }); // prettier-ignore
    /** Runs that nothing but the registry refers to. */
    for (let i = 0; i < 3; i++) runs.share({ sizeBytes: 1 } as unknown as Run);
    // Not asked for in between: who is asked for is kept.
    for (let round = 0; round < 5; round++) {
      await nextTurn();
      collect();
    }
    expect(["1", "2", "3"].map((name) => runs.find(name) !== undefined)).toEqual([false, true, true]);
  });
});
