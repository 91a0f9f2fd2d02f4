import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Intervention, Model, ModelInput } from "../../kernel/lib/index.js";
import { load, tensor, Tensor } from "../../kernel/lib/index.js";
import { headGridsMime } from "../../kernel/lib/views/index.js";
import { maxAbsDiff, oracles } from "./oracle.js";

const models = new Map<string, Model>();
const model = (name: string): Model => models.get(name)!;
beforeAll(async () => {
  for (const name of ["bart", "mbart", "t5", "whisper", "gpt_neo"])
    models.set(name, await load(`${oracles}models/${name}`));
});
afterAll(() => Promise.all([...models.values()].map((each) => each.dispose())));

const pair: ModelInput = { inputIds: [[5, 6, 7], [8]], decoderInputIds: [[2, 9], [2, 10]] }; // prettier-ignore
const features = new Tensor("float32", [1, 8, 50], new Float32Array(400).fill(0.1));

describe("encoder and decoder", () => {
  it("read rows of different lengths, padded on the right and masked", async () => {
    const run = await model("bart").run(pair);
    expect(run.tokens).toEqual([["5", "6", "7"], ["8", "1", "1"]]); // prettier-ignore
    expect(run.decoderTokens).toEqual([["2", "9"], ["2", "10"]]); // prettier-ignore
    expect([run.realPositions(1), run.realPositions(1, "decoder")]).toEqual([[0], [0, 1]]);
    const alone = await model("bart").run({ inputIds: [[8]], decoderInputIds: [[2, 10]] });
    expect(maxAbsDiff(run.logits.slice(1), alone.logits.slice(0))).toBeLessThan(1e-5);
    const cross = run.at("decoder.blocks.0.cross_attn.pattern");
    expect(cross.shape).toEqual([2, 6, 2, 3]);
    expect([...cross.slice(1, 0, 0).data]).toEqual([1, 0, 0]);
  });

  it("make what the decoder reads from labels, as training does", async () => {
    const labels = [[9, 10, 11], [12, -100, -100]]; // prettier-ignore
    const made = await model("bart").run({ inputIds: [[5, 6], [8]], labels }); // prettier-ignore
    expect(made.decoderTokens).toEqual([["2", "9", "10"], ["2", "12", "1"]]); // prettier-ignore
    expect(made.lossPerToken.shape).toEqual([2, 3]);
    expect(Array.from(made.lossPerToken.data, Number.isNaN)).toEqual([false, false, false, false, true, true]);
    const counted = made.lossPerToken.numbers().filter((loss) => !Number.isNaN(loss));
    expect(made.loss).toBeCloseTo(counted.reduce((sum, loss) => sum + loss, 0) / 4, 6);
    const language = await model("mbart").run({ inputIds: [[5, 6]], labels: [[9, 2, 60]] });
    expect(language.decoderTokens).toEqual([["60", "9", "2"]]);
  });

  it("count the next token of the decoder where no labels are given", async () => {
    const run = await model("bart").run({ inputIds: [[5]], decoderInputIds: [[2, 9, 10]] });
    const expected = [9, 10].map((id, t) => -Number(run.logProbs.slice(0, t).data[id]));
    expect(run.loss).toBeCloseTo((expected[0] + expected[1]) / 2, 5);
  });

  it("show a grid each, with their own queries and keys, padding left out", async () => {
    const bundle = await (await model("bart").run(pair)).bundle();
    const { stacks } = bundle[headGridsMime] as {
      stacks: { name: string; grid: { samples: { queryTokens: string[]; keyTokens: string[] }[] } }[];
    };
    const axes = stacks.map(({ name, grid: { samples } }) => [name, samples[0].queryTokens, samples[0].keyTokens]);
    expect(axes).toEqual([
      ["encoder", ["5", "6", "7"], ["5", "6", "7"]],
      ["decoder", ["2", "9"], ["2", "9"]],
      ["cross", ["2", "9"], ["5", "6", "7"]],
    ]);
    expect(stacks[2].grid.samples[1].keyTokens).toEqual(["8"]);
  });

  it("call the positions of sounds by their time", async () => {
    const run = await model("whisper").run({ inputFeatures: features, decoderInputIds: [[3]] });
    expect(run.tokens[0].slice(0, 3)).toEqual(["0.00s", "0.02s", "0.04s"]);
    expect(run.tokens[0]).toHaveLength(25);
  });

  it("are described with all their sizes", () => {
    expect(model("t5").describe()).toContain("cross: 2 layers × 4 heads of 5\n");
    expect(model("t5").describe()).toContain("any number of positions read, any number of positions written");
    expect(model("bart").describe()).toContain("width 24, 32 positions read, 32 positions written");
  });
});

describe("bad input", () => {
  it.each<[string, string, unknown, string]>([
    ["a decoder's tokens for a model without one", "gpt_neo", pair, "decoderInputIds is for encoder–decoder models, but GPTNeoForCausalLM is none"],
    ["features for a model that reads text only", "gpt_neo", { inputFeatures: features }, "inputFeatures is for encoder–decoder models"],
    ["ids without the decoder's", "bart", { inputIds: [[5]] }, "BartForConditionalGeneration reads decoderInputIds besides inputIds"],
    ["features without the decoder's", "whisper", { inputFeatures: features }, "reads decoderInputIds besides inputFeatures"],
    ["text and ids", "bart", { ...pair, text: "a" }, "expected either text or inputIds, got both"],
    ["text as target and ids", "bart", { ...pair, targetText: "a" }, "expected either targetText or decoderInputIds, got both"],
    ["nothing for the encoder", "bart", { decoderInputIds: [[2]] }, "reads text or { inputIds }, got none of them"],
    ["text for a model that hears", "whisper", "hello", "WhisperForConditionalGeneration reads { inputFeatures }, got text"],
    ["features for a model that reads", "bart", { inputFeatures: features, decoderInputIds: [[2]] }, "reads text; pass it or { inputIds } instead of inputFeatures"],
    ["features of another shape", "whisper", { inputFeatures: tensor([[[1, 2]]]), decoderInputIds: [[3]] }, "must have the shape [batch,8,50], got [1,1,2]"],
    ["features that are no tensor", "whisper", { inputFeatures: [[1]], decoderInputIds: [[3]] }, "inputFeatures must be a Tensor, got object"],
    ["text without a tokenizer", "bart", "hello", "this model has no tokenizer; pass { inputIds } instead of text"],
    ["another number of rows", "bart", { ...pair, decoderInputIds: [[2]] }, "expected one row for the decoder per prompt, 2 in all, got 1"],
    ["labels of other lengths", "bart", { ...pair, labels: [[9], [9]] }, "labels must have the lengths of decoderInputIds; expected [2, 2], got [1, 1]"],
    ["a label that is no token", "bart", { ...pair, labels: [[9, -1], [9, 9]] }, "labels[0][1] must be a token id, or −100 for none, got -1"],
    ["more tokens than the decoder has places for", "bart", { inputIds: [[5]], decoderInputIds: [new Array(33).fill(2)] }, "decoder row 0 has 33 tokens, but the decoder of BartForConditionalGeneration has 32 positions"],
    ["a misspelt field", "bart", { ...pair, decoderInputId: [[2]] }, 'unknown option "decoderInputId"; did you mean "decoderInputIds"?'],
    ["a mask without its ids", "bart", { inputIds: [[5]], labels: [[9]], decoderAttentionMask: [[1]] }, "decoderAttentionMask belongs to decoderInputIds"],
    ["nothing", "bart", null, "expected a prompt, a list of prompts or an object with the model's inputs, got null"],
  ])("is refused: %s", async (_, name, input, message) => {
    await expect(model(name).run(input as ModelInput)).rejects.toThrow(message);
  }); // prettier-ignore

  it.each<[object, string]>([
    [{ layer: 0 }, "this model has several stacks; expected stack: one of encoder, decoder, cross"],
    [{ stack: "croos", layer: 0 }, 'unknown stack "croos"; did you mean "cross"?'],
    [{ stack: "encoder", layer: 2 }, "layer must be a whole number in 0 … 1, got 2"],
    [{ stack: "encoder", layer: 0, head: 4 }, "head must be a whole number in 0 … 3, got 4"],
    [
      { stack: "cross", layer: 0, at: "decoder.blocks.0.cross_attn.z" },
      "expected either an address or a layer, got both",
    ],
    [{ at: "encoder.blocks.7.attn.z" }, 'no layer 7 for "encoder.blocks.7.attn.z"; expected 0 … 1'],
  ])("in an intervention is refused: %j", async (place, message) => {
    const intervention = { head: 0, mode: "zero", ...place } as Intervention;
    await expect(model("bart").run(pair, { interventions: [intervention] })).rejects.toThrow(message);
  });
});
