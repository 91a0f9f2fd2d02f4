import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Model, PromptMetric, Run } from "../../kernel/lib/index.js";
import { load, logitAttribution, logitDifference, logitLens, tensor } from "../../kernel/lib/index.js";
import { build } from "../../kernel/lib/graph/index.js";
import { readOracle, readTensors } from "../models/oracle.js";

const prompts = { inputIds: [[5, 6, 7, 8, 9], [11, 12, 13, 14, 15, 16]] }; // prettier-ignore
const metric = logitDifference(7, 9);
const add = (a: number, b: number): number => a + b;

describe.each(["gpt2", "llama_rope3", "gpt_neox"])("attribution on %s", (name) => {
  let model: Model;
  let runs: readonly Run[];
  beforeAll(async () => {
    model = await load((await readOracle(name)).folder);
    runs = await Promise.all(
      prompts.inputIds.map(async (ids) =>
        model.run({ inputIds: [ids] }, { capture: ["blocks.*.attn.z", "blocks.*.resid_post"] }),
      ),
    );
  });
  afterAll(() => model.dispose());

  const differenceOf = ({ logits }: Run): number => {
    const last = logits.shape[1] - 1;
    return logits.item(0, last, 7) - logits.item(0, last, 9);
  };

  it("adds up: heads, biases, MLPs and embedding are the metric", async () => {
    const found = await logitAttribution(model, prompts, { metric });
    const expected = runs.map(differenceOf).reduce(add) / 2;
    const { heads, attentionBias, mlps, embed, normBias, unexplained } = found;
    expect(heads.map((row) => row.length)).toEqual(new Array(model.layers).fill(model.heads));
    expect(Math.abs(found.metric - expected)).toBeLessThan(2e-5);
    const sum = [...heads.flat(), ...attentionBias, ...mlps, embed, normBias].reduce(add);
    expect(Math.abs(sum - found.metric)).toBeLessThan(1e-4);
    expect(Math.abs(unexplained)).toBeLessThan(1e-4);
    expect(heads.flat().every((share) => Math.abs(share) > 1e-9)).toBe(true);
    if (name === "llama_rope3") attentionBias.forEach((bias) => expect(Math.abs(bias)).toBeLessThan(1e-5));
  });

  it("is the same for a metric that reads one position and for one that may read all", async () => {
    const whole: PromptMetric = {
      name: "the same of all logits",
      write: ({ at, batch, feed }) => {
        const last = Array.from({ length: batch.length }, (_, t) => [t === batch.length - 1 ? 1 : 0]);
        const [a, b] = [7, 9].map((id) => build.slice(at("logits"), 2, id, id + 1)); // [1,Q,1]
        return build.reduceSum(build.mul(build.sub(a, b), feed("last", tensor([last]), [1, "query", 1])), [1, 2]);
      },
    };
    const [one, all] = [
      await logitAttribution(model, prompts, { metric }),
      await logitAttribution(model, prompts, { metric: whole }),
    ];
    const numbers = ({ heads, mlps, attentionBias, embed, normBias }: typeof one): number[] => [
      ...heads.flat(),
      ...mlps,
      ...attentionBias,
      embed,
      normBias,
    ];
    numbers(one).forEach((share, i) => expect(Math.abs(share - numbers(all)[i])).toBeLessThan(2e-6));
  });

  it("is that of each metric, whichever was asked for before", async () => {
    const of = async (a: number, b: number): Promise<readonly number[]> =>
      (await logitAttribution(model, { inputIds: [[5, 6, 7, 8]] }, { metric: logitDifference(a, b) })).heads.flat();
    const [there, back, again] = [await of(7, 9), await of(9, 7), await of(7, 9)];
    expect(again).toEqual(there);
    back.forEach((share, i) => expect(Math.abs(share + there[i])).toBeLessThan(1e-9));
    expect((await of(7, 8)).every((share, i) => share !== there[i])).toBe(true);
  });

  it("the logit lens ends in the metric, and a list is the mean of its prompts", async () => {
    const { metric: states, perPrompt } = await logitLens(model, prompts, { metric });
    expect(states).toHaveLength(model.layers + 1);
    runs.forEach((run, b) => expect(Math.abs(perPrompt[b].at(-1)! - differenceOf(run))).toBeLessThan(1e-5));
    states.forEach((value, i) => expect(value).toBe((perPrompt[0][i] + perPrompt[1][i]) / 2));
    const alone = await logitLens(model, { inputIds: [prompts.inputIds[1]] }, { metric });
    expect(alone.perPrompt[0]).toEqual(perPrompt[1]);
    expect(states[0]).not.toBe(states[1]);
  });
});

describe("attribution", () => {
  it("of one head is what loops over the weights say: (z W_O − mean) / σ · w · (U_a − U_b)", async () => {
    const { folder } = await readOracle("gpt2");
    const weights = await readTensors(`${folder}/model.safetensors`);
    const weight = (suffix: string): ReturnType<typeof get> => get(suffix);
    const get = (suffix: string) => [...weights].find(([key]) => key.endsWith(suffix))![1];
    const model = await load(folder);
    const [layer, head, M, D] = [1, 3, 48, 12];
    const ids = prompts.inputIds[0];
    const run = await model.run({ inputIds: [ids] }, { capture: ["blocks.1.attn.z", "blocks.2.resid_post"] });
    const z = run
      .at("blocks.1.attn.z")
      .slice(0, head, ids.length - 1)
      .numbers();
    const [output, unembed, scale] = [weight("h.1.attn.c_proj.weight"), weight("wte.weight"), weight("ln_f.weight")];
    const written = Array.from({ length: M }, (_, m) =>
      z.reduce((sum, x, d) => sum + x * output.item(head * D + d, m), 0),
    );
    const x = run
      .at("blocks.2.resid_post")
      .slice(0, ids.length - 1)
      .numbers();
    const mean = (xs: ArrayLike<number>): number => Array.from(xs).reduce(add) / M;
    const sigma = Math.sqrt(mean(x.map((v) => (v - mean(x)) ** 2)) + 1e-5);
    const expected = written
      .map((v, m) => ((v - mean(written)) / sigma) * scale.item(m) * (unembed.item(7, m) - unembed.item(9, m)))
      .reduce(add);
    const found = await logitAttribution(model, { inputIds: [ids] }, { metric });
    expect(Math.abs(found.heads[layer][head] - expected)).toBeLessThan(1e-5);
    await model.dispose();
  });

  it("refuses what is not linear, and models without a head", async () => {
    const [capped, encoder] = await Promise.all(
      ["gemma2", "bert_model"].map(async (name) => load((await readOracle(name)).folder)),
    );
    await expect(logitAttribution(capped, { inputIds: [[5, 6, 7]] }, { metric })).rejects.toThrow(
      /is not linear|norm of its own/,
    );
    await expect(logitAttribution(encoder, { inputIds: [[5, 6, 7]] }, { metric })).rejects.toThrow(
      /no last norm and prediction head/,
    );
    await expect(logitLens(encoder, { inputIds: [[5, 6, 7]] }, { metric })).rejects.toThrow(
      /no last norm and prediction head/,
    );
    await Promise.all([capped.dispose(), encoder.dispose()]);
  });
});
