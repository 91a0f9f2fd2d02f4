import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Model, Run } from "../../kernel/lib/index.js";
import { load, tokenStrip } from "../../kernel/lib/index.js";
import { experiments, questions } from "../../kernel/lib/live/index.js";
import { headLines } from "../../kernel/lib/models/index.js";
import { readOracle } from "../models/oracle.js";

/** The second prompt is shorter: its padding must not show. */
const input = { inputIds: [[5, 6, 7, 8, 9], [11, 12, 13, 0, 0]], attentionMask: [[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]] }; // prettier-ignore

let model: Model;
let run: Run;
beforeAll(async () => {
  model = await load((await readOracle("gpt2")).folder);
  run = await model.run(input);
});
afterAll(() => model.dispose());

const weight = (prompt: number, head: number, query: number, key: number): number =>
  run.at("blocks.1.attn.pattern").item(prompt, head, query, key);

describe("the lines of a head", () => {
  it("are the rows and columns of its pattern, padding left out", () => {
    const lines = headLines(run, { layer: 1, head: 2, prompt: 1 });
    expect([lines.queries, lines.keys]).toEqual([3, 3]);
    for (let q = 0; q < 3; q++) {
      expect([...lines.row(q)]).toEqual([0, 1, 2].map((k) => weight(1, 2, q, k)));
      expect([...lines.column(q)]).toEqual([0, 1, 2].map((query) => weight(1, 2, query, q)));
    }
  });

  it("are means over the heads of the layer where none is named", () => {
    const { row } = headLines(run, { layer: 1 });
    const { heads } = run.stacks[0];
    row(4).forEach((mean, key) => {
      const sum = Array.from({ length: heads }, (_, h) => weight(0, h, 4, key)).reduce((a, b) => a + b, 0);
      expect(mean).toBeCloseTo(sum / heads, 6);
    });
  });

  it("say what each key receives from the queries that see it", () => {
    const received = headLines(run, { layer: 1, head: 0 }).received();
    received.forEach((mean, key) => {
      const seen = [0, 1, 2, 3, 4].filter((query) => query >= key);
      expect(mean).toBeCloseTo(seen.reduce((sum, q) => sum + weight(0, 0, q, key), 0) / seen.length, 6);
    });
    expect(received[4]).toBeCloseTo(weight(0, 0, 4, 4), 6);
  });
});

describe("tokenStrip", () => {
  it("shades the tokens of a run by what they receive, and keeps where each looks", async () => {
    const strip = tokenStrip(run, { layer: 1, head: 2, prompt: 1 });
    expect(strip.tokens).toEqual(run.tokens[1].slice(0, 3));
    const { values, attention, measure } = await strip.payload();
    expect(values[2]).toBeCloseTo(weight(1, 2, 2, 2), 5);
    expect(attention).toMatchObject({ caption: "layer 1, head 2", causal: true, kept: 3 });
    expect(measure).toContain("attention received");
    expect((await tokenStrip(run).payload()).attention?.caption).toMatch(/^layer 0, mean of \d+ heads$/);
  });

  it("shades any tokens by any numbers; negative ones are differences", async () => {
    const payload = await tokenStrip(["a", "b", "c"], { values: [1, -2, NaN], measure: "Δ loss" }).payload();
    expect(payload).toMatchObject({ kind: "diverging", values: [1, -2, null], title: "Δ loss" });
    expect((await tokenStrip(["a"], { values: [1], measure: "loss" }).payload()).kind).toBe("sequential");
  });

  it("refuses what is not there", () => {
    expect(() => tokenStrip(run, { layer: 9 })).toThrow(/layer must be a whole number in 0 … 2, got 9/);
    expect(() => tokenStrip(run, { heads: 1 } as never)).toThrow(/unknown option "heads".*"head"/);
    expect(() => tokenStrip("abc" as never, { values: [1], measure: "m" })).toThrow(/expected a run, or a list/);
    expect(() => tokenStrip(["a"], { values: [1, 2], measure: "m" })).toThrow(/got 2 for 1 tokens/);
  });

  it("shows the text of both sides where queries and keys are not the same tokens", async () => {
    const pair = await load((await readOracle("t5")).folder);
    const both = await pair.run({ inputIds: [[3, 4, 5, 1]], decoderInputIds: [[0, 7]] });
    const { tokens, attention } = await tokenStrip(both, { stack: "cross", layer: 0, head: 0 }).payload();
    expect([tokens.length, attention?.queries?.length, attention?.mass.length]).toEqual([4, 2, 2]);
    await pair.dispose();
  });
});

describe("what a strip asks about its run", () => {
  const place = { stack: "", layer: 1, head: 2, sample: 0 };

  it("line: the weights of one token as the run holds them", () => {
    const { buffers } = questions["line"](run, { ...place, along: "query", at: 4 });
    const floats = new Float32Array(buffers![0].buffer);
    expect([...floats]).toEqual([0, 1, 2, 3, 4].map((k) => weight(0, 2, 4, k)));
    const column = questions["line"](run, { ...place, along: "key", at: 1 });
    expect([...new Float32Array(column.buffers![0].buffer)]).toEqual([0, 1, 2, 3, 4].map((q) => weight(0, 2, q, 1)));
  });

  it.each([
    [{ along: "both", at: 0 }, /along must be "query" or "key", got "both"/],
    [{ along: "query", at: 5 }, /query must be a whole number in 0 … 4, got 5/],
    [{ along: "query", at: -1 }, /at must be a whole number/],
    [{ along: "query", at: 0, head: 99 }, /head must be a whole number/],
  ])("line refuses %j", (change, reason) => {
    expect(() => questions["line"](run, { ...place, ...change })).toThrow(reason);
  });

  it("strip: the same text by another head, or by the mean of a layer", async () => {
    const settings = { signal: new AbortController().signal, progress: () => Promise.resolve() };
    const { data } = await experiments["strip"](run, { ...place, head: null }, settings);
    const { heads } = run.stacks[0];
    expect(data["payload"]).toMatchObject({ attention: { caption: `layer 1, mean of ${heads} heads` } });
  });
});
