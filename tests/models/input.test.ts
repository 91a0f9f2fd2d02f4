import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { fileURLToPath } from "node:url";
import type { Model, ModelInput, RunOptions } from "../../kernel/lib/index.js";
import { load } from "../../kernel/lib/index.js";
import { inputOf, maxAbsDiff, oracles, readOracle } from "./oracle.js";

let model: Model;
beforeAll(async () => void (model = await load(`${oracles}models/bert`)));
afterAll(() => model.dispose());

const refusal = async (input: unknown, options?: RunOptions): Promise<string> => {
  const failure: unknown = await model.run(input as string, options).catch((error: unknown) => error);
  return failure instanceof Error ? `${failure.name}: ${failure.message}` : "no error";
};

describe("token ids", () => {
  it("of different lengths are padded on the right and masked", async () => {
    const run = await model.run({ inputIds: [[5, 6, 7], [8]] }); // prettier-ignore
    const alone = await model.run({ inputIds: [[8]] });
    expect(run.tokens).toEqual([["5", "6", "7"], ["8", "0", "0"]]); // prettier-ignore
    expect(run.realPositions(1)).toEqual([0]);
    const pattern = run.at("blocks.2.attn.pattern").slice(1, 0, 0);
    expect([...pattern.data]).toEqual([1, 0, 0]);
    const [padded, single] = [run.logits.slice(1, 0), alone.logits.slice(0, 0)];
    expect(maxAbsDiff(padded, single)).toBeLessThan(1e-5);
  });

  it("may come as typed arrays and as big integers", async () => {
    const plain = await model.run({ inputIds: [[1, 2]] });
    const typed = await model.run({ inputIds: [BigInt64Array.of(1n, 2n)], attentionMask: [Int32Array.of(1, 1)] });
    expect(maxAbsDiff(plain.logits, typed.logits)).toBe(0);
  });

  it("are never changed", async () => {
    const ids = [[1, 2], [3]]; // prettier-ignore
    await model.run({ inputIds: ids });
    expect(ids).toEqual([[1, 2], [3]]); // prettier-ignore
  });

  it("all hidden by the mask leave even rows, finite everywhere", async () => {
    const run = await model.run({ inputIds: [[1, 2, 3, 4]], attentionMask: [[0, 0, 0, 0]] });
    for (const weight of run.at("blocks.1.attn.pattern").numbers()) expect(weight).toBeCloseTo(0.25, 6);
    expect(run.logits.numbers().every(Number.isFinite)).toBe(true);
  });

  it.each<[string, unknown, string]>([
    ["no prompt", [], "OptionError: run: expected at least one prompt, got an empty list"],
    ["no prompt as ids", { inputIds: [] }, "OptionError: run: expected at least one prompt, got an empty list"],
    ["an empty row", { inputIds: [[1], []] }, "OptionError: run: prompt 1 has no tokens"],
    [
      "an id beyond the vocabulary",
      { inputIds: [[1, 97]] },
      "OptionError: run: inputIds[0][1] must be a whole number in 0 … 96, got 97",
    ],
    ["a negative id", { inputIds: [[-1]] }, "inputIds[0][0] must be a whole number in 0 … 96, got -1"],
    ["a fraction", { inputIds: [[1.5]] }, "inputIds[0][0] must be a whole number in 0 … 96, got 1.5"],
    ["a flat list of ids", { inputIds: [1, 2] }, "inputIds[0] must be an array of whole numbers, got number"],
    ["ids as text", { inputIds: "1 2" }, "inputIds must be an array with one row per prompt, got string"],
    [
      "too many tokens",
      { inputIds: [new Array(41).fill(1)] },
      "ShapeError: run: prompt 0 has 41 tokens, but BertForMaskedLM has 40 positions",
    ],
    [
      "a mask of another length",
      { inputIds: [[1, 2]], attentionMask: [[1]] },
      "attentionMask must have the lengths of inputIds; expected [2], got [1]",
    ],
    [
      "a mask that is not 0 or 1",
      { inputIds: [[1]], attentionMask: [[2]] },
      "attentionMask[0][0] must be a whole number in 0 … 1, got 2",
    ],
    [
      "an unknown field",
      { inputIds: [[1]], attention_mask: [[1]] },
      'unknown option "attention_mask"; did you mean "attentionMask"?',
    ],
    ["nothing", null, "OptionError: run: expected a prompt, a list of prompts or { inputIds }, got null"],
    ["text without a tokenizer", "hello", "UnsupportedError: run: this model has no tokenizer"],
  ])("are refused: %s", async (_, input, message) => {
    expect(await refusal(input)).toContain(message);
    expect((await model.run({ inputIds: [[1]] })).logits.shape).toEqual([1, 1, 97]);
  });
});

describe("prompts", () => {
  let miniLM: Model;
  beforeAll(async () => {
    miniLM = await load(fileURLToPath(new URL("../../.cache/models/all-MiniLM-L6-v2", import.meta.url)));
  });
  afterAll(() => miniLM.dispose());

  it.each<[unknown, string]>([
    ["", "run: prompt 0 is empty"],
    [["fine", " \n"], "run: prompt 1 is empty"],
    [["fine", 5], "run: prompt 1 must be text, got number"],
    ["word ".repeat(511), "run: prompt 0 has 513 tokens, but BertModel has 512 positions; shorten it"],
  ])("are refused where the model cannot run them", async (prompt, message) => {
    await expect(miniLM.run(prompt as string)).rejects.toThrow(message);
  });

  it("are not cut at the 128 tokens that the tokenizer's file asks for, nor padded to them", async () => {
    const run = await miniLM.run(["word ".repeat(200), "short"], { patterns: false });
    expect(run.tokens.map((tokens) => tokens.length)).toEqual([202, 202]);
    expect(run.realPositions(1)).toEqual([0, 1, 2]);
    expect((await miniLM.run("short", { patterns: false })).tokens).toEqual([["[CLS]", "short", "[SEP]"]]);
  });
});

describe("what a run keeps", () => {
  it("is the outputs and patterns, and what capture adds", async () => {
    const run = await model.run({ inputIds: [[1, 2]] }, { capture: ["blocks.*.attn.hook_q", "hook_embed"] });
    expect(run.at("blocks.1.attn.q").shape).toEqual([1, 4, 2, 12]);
    expect(run.at("embed").shape).toEqual([1, 2, 48]);
    expect(run.addresses.filter((address) => address.endsWith(".pattern"))).toHaveLength(3);
    expect(() => run.at("blocks.1.attn.k")).toThrow('ask for it: model.run(input, { capture: ["blocks.1.attn.k"] })');
    expect(() => run.at("blocks.3.attn.q")).toThrow("no layer 3");
    expect(() => run.at("blocks.*.attn.q")).toThrow("means 3 activations; ask for one");
  });

  it("leaves the patterns out on request", async () => {
    const run = await model.run({ inputIds: [[1, 2]] }, { patterns: false });
    expect(run.addresses).toEqual(["logits", "last_hidden_state"]);
  });

  it.each<[string, RunOptions, string]>([
    [
      "capture",
      { capture: ["blocks.0.attn.patern"] },
      'unknown address "blocks.0.attn.patern"; did you mean "blocks.*.attn.pattern"?',
    ],
    ["capture of no text", { capture: [5 as unknown as string] }, "an address is text"],
    [
      "head",
      { interventions: [{ at: "blocks.0.attn.z", head: 4, mode: "zero" }] },
      "head must be a whole number in 0 … 3, got 4",
    ],
    [
      "mode",
      { interventions: [{ at: "blocks.0.attn.z", head: 0, mode: "one" as "zero" }] },
      'mode must be "zero" or "mean", got "one"',
    ],
    [
      "place",
      { interventions: [{ at: "blocks.0.attn.q", head: 0, mode: "zero" }] },
      'unknown address "blocks.0.attn.q"; did you mean "blocks.*.attn.z"?',
    ],
    ["option", { interventoins: [] } as RunOptions, 'unknown option "interventoins"; did you mean "interventions"?'],
  ])("refuses an unknown %s", async (_, options, message) => {
    expect(await refusal({ inputIds: [[1]] }, options)).toContain(message);
  });

  it("stops at once when it is aborted", async () => {
    await expect(model.run({ inputIds: [[1]] }, { signal: AbortSignal.abort(new Error("stop")) })).rejects.toThrow(
      "stop",
    );
    expect((await model.run({ inputIds: [[1]] })).logits.shape).toEqual([1, 1, 97]);
  });
});

describe("in a notebook, a run without a signal of its own", () => {
  it("stops when the running cell is interrupted", async () => {
    const controller = new AbortController();
    const kernel = Symbol.for("attention-lab.kernel");
    Object.assign(globalThis, { [kernel]: { interruptSignal: () => controller.signal } });
    try {
      const result = model.run({ inputIds: [new Array<number>(40).fill(1)] });
      controller.abort(new Error("interrupted"));
      await expect(result).rejects.toThrow("interrupted");
    } finally {
      Reflect.deleteProperty(globalThis, kernel);
    }
    expect((await model.run({ inputIds: [[1]] })).logits.shape).toEqual([1, 1, 97]);
  });
});

describe("runs with different captures", () => {
  it("give bit-equal numbers: looking changes nothing", async () => {
    const input: ModelInput = inputOf(await readOracle("bert"));
    const first = await model.run(input);
    const bare = await model.run(input, { patterns: false });
    expect(maxAbsDiff(bare.logits, first.logits)).toBe(0);
    for (const address of model.addresses) {
      const run = await model.run(input, { capture: [address] });
      expect(maxAbsDiff(run.logits, first.logits), address).toBe(0);
      expect(maxAbsDiff(run.at("blocks.2.attn.pattern"), first.at("blocks.2.attn.pattern")), address).toBe(0);
    }
  });
});
