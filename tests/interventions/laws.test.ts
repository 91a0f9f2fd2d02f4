import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { GraphEdit, Model } from "../../kernel/lib/index.js";
import { interventions, load, tensor } from "../../kernel/lib/index.js";
import { readOracle } from "../models/oracle.js";

const { identity, noise, replace, scale, zeroZ } = interventions;
const input = { inputIds: [[5, 6, 7, 8], [9, 10, 11]] }; // prettier-ignore

describe.each(["gpt2", "llama_rope3", "bert"])("interventions on %s", (name) => {
  let model: Model;
  beforeAll(async () => {
    model = await load((await readOracle(name)).folder);
  });
  afterAll(() => model.dispose());

  const logits = async (...edits: GraphEdit[]): Promise<ArrayLike<number | bigint>> =>
    (await model.run(input, { interventions: edits, patterns: false })).logits.data;

  it("at each address: an identity leaves the logits bit-equal, noise changes them", async () => {
    const clean = await logits();
    const outputs = ["logits", "last_hidden_state", "pooler_output"];
    const middle = model.addresses.filter((address) => !/^blocks\.[02]\./.test(address) && !outputs.includes(address));
    expect(middle.length).toBeGreaterThan(10);
    for (const at of middle) {
      expect(await logits(identity({ at })), at).toEqual(clean);
      expect(await logits(noise({ at, deviation: 0.5, seed: 3 })), at).not.toEqual(clean);
    }
  }, 240_000);

  it("an address that means every layer acts in every layer", async () => {
    const all = await logits(zeroZ());
    const each = Array.from({ length: model.layers }, (_, layer) => zeroZ({ layer }));
    expect(await logits(...each)).toEqual(all);
    const { reports } = await model.run(input, { interventions: [zeroZ({ head: 0 })], patterns: false });
    expect(reports.map(({ address }) => address)).toEqual(
      Array.from({ length: model.layers }, (_, layer) => `blocks.${layer}.attn.z`),
    );
  });

  it("acts beside the older form, and leaves its arguments as they were", async () => {
    const options = Object.freeze({ layer: 1, head: 1 });
    const frozen = { inputIds: Object.freeze([Object.freeze([5, 6, 7, 8])]) };
    const both = await model.run(frozen, {
      interventions: [{ at: "blocks.0.attn.z", head: 0, mode: "zero" }, zeroZ(options)],
    });
    const same = await model.run(frozen, { interventions: [zeroZ({ layer: 0, head: 0 }), zeroZ(options)] });
    expect(both.logits.data).toEqual(same.logits.data);
  });
});

describe("interventions", () => {
  it("have the name of their file", () => {
    const made: Record<string, GraphEdit> = {
      act: interventions.act(),
      bosPattern: interventions.bosPattern(),
      cascadePruning: interventions.cascadePruning(),
      gate: interventions.gate({ gate: 0 }),
      identity: identity({ at: "embed" }),
      knockout: interventions.knockout({ from: [0], to: [0] }),
      logitBias: interventions.logitBias({ gamma: 2 }),
      meanZ: interventions.meanZ({ over: "batch" }),
      noise: noise({ at: "embed", deviation: 1 }),
      redistribute: interventions.redistribute({ image: [0], dimensions: [0] }),
      removeKvHead: interventions.removeKvHead(),
      removeTokens: interventions.removeTokens({ tokens: [0] }),
      replace: replace({ at: "embed", with: tensor([1]) }),
      resampleZ: interventions.resampleZ(),
      scale: scale({ at: "embed", factor: 2 }),
      steer: interventions.steer({ at: "embed", vector: [1] }),
      temperature: interventions.temperature({ temperature: 2 }),
      uniformPattern: interventions.uniformPattern(),
      zeroColumn: interventions.zeroColumn({ column: 0 }),
      zeroPattern: interventions.zeroPattern(),
      zeroQ: interventions.zeroQ(),
      zeroZ: zeroZ(),
    };
    expect(Object.keys(made)).toEqual(Object.keys(interventions).sort());
    for (const [name, edit] of Object.entries(made)) expect(edit.name).toBe(name);
  });

  it("touch their own model only, and the next run is untouched", async () => {
    const [a, b] = await Promise.all(
      ["gpt2", "llama_rope3"].map(async (name) => load((await readOracle(name)).folder)),
    );
    const before = [(await a.run(input)).logits.data, (await b.run(input)).logits.data];
    await a.run(input, { interventions: [zeroZ()] });
    expect([(await a.run(input)).logits.data, (await b.run(input)).logits.data]).toEqual(before);
    await Promise.all([a.dispose(), b.dispose()]);
  });

  it("refuse what does not fit, and say what would", async () => {
    const model = await load((await readOracle("llama_rope3")).folder);
    const refused = async (edit: () => GraphEdit, message: RegExp): Promise<void> => {
      await expect((async () => model.run(input, { interventions: [edit()] }))()).rejects.toThrow(message);
    };
    await refused(() => zeroZ({ layer: 3 }), /zeroZ: no layer 3 for "blocks\.3\.attn\.z"; expected 0 … 2/);
    await refused(() => zeroZ({ head: 9 }), /zeroZ: head must be a whole number in 0 … 3, got 9/);
    await refused(() => zeroZ({ haed: 1 } as object), /zeroZ: unknown option "haed"; did you mean "head"\?/);
    await refused(() => identity({ at: "blocks.0.attn.zz" }), /identity: unknown address "blocks\.0\.attn\.zz"/);
    await refused(() => replace({ at: "embed", with: tensor([[1]]) }), /edit\.0\.embed\.with/);
    await refused(() => interventions.steer({ at: "embed", vector: [1, 2] }), /steer: the vector must be \[\d+\]/);
    await refused(() => interventions.knockout({ from: [9], to: [0] }), /knockout: no position 9 in prompt 0/);
    await refused(
      () => ({ name: "later", at: ["embed"], edit: (_, { at }) => at("blocks.0.attn.z") }),
      /"blocks\.0\.attn\.z" is computed later/,
    );
    await model.dispose();
  });
});
