import { describe, expect, it } from "vitest";
import { load } from "../../kernel/lib/index.js";
import type { Value } from "../../kernel/lib/graph/index.js";
import { build, constant } from "../../kernel/lib/graph/index.js";
import type { Model, Run } from "../../kernel/lib/index.js";
import type { GraphEdit } from "../../kernel/lib/models/site.js";
import { Tensor } from "../../kernel/lib/tensor/index.js";
import {
  anyInputOf,
  decoders,
  encoders,
  inputOf,
  maxAbsDiff,
  pairs,
  readOracle,
  readTensors,
  rowsOf,
  seeing,
} from "./oracle.js";

const layer = 1;
const at = (part: string): string => `blocks.${layer}.attn.${part}`;

/** Values times 1 at the chosen ones of an axis, 0 elsewhere; [B,H,T,D] or [B,G,T,D]. */
function only(address: string, chosen: (head: number) => boolean): GraphEdit {
  const edit = (value: Value): Value => {
    const heads = value.shape[1] as number;
    const mask = Float32Array.from({ length: heads }, (_, head) => (chosen(head) ? 1 : 0));
    return build.mul(value, constant(new Tensor("float32", [heads, 1, 1], mask)));
  };
  return { name: "only", at: [address], edit };
}

async function opened(name: string): Promise<{ model: Model; input: ReturnType<typeof inputOf>; run: Run }> {
  const oracle = await readOracle(name);
  const model = await load(oracle.folder);
  const input = inputOf(oracle);
  const rotated = model.addresses.filter((address) => /\.(rot_[qk]|scores)$/.test(address));
  const capture = [...["q", "k"].map(at), `blocks.${layer}.attn_out`, ...rotated];
  return { model, input, run: await model.run(input, { capture }) };
}

/** What every key but a sink leaves of a row, by the scores and the sink's logit. */
function besideSink(scores: Float64Array, sink: number): number {
  const sum = scores.reduce((total, score) => total + Math.exp(score), 0);
  return sum / (sum + Math.exp(sink));
}

/** Every row of every pattern sums to one, or to one less what a head's sink takes. */
function expectRowsToSumToOne(model: Model, run: Run, sinks?: (layer: number) => Tensor): void {
  const patterns = model.addresses.filter((address) => address.endsWith("attn.pattern"));
  expect(patterns.length).toBeGreaterThan(1);
  for (const [layer, address] of patterns.entries()) {
    const { data, shape } = run.at(address);
    const [, heads, queries, keys] = shape as [number, number, number, number];
    const scores = sinks && run.at(address.replace("pattern", "scores")).numbers();
    for (let start = 0; start < data.length; start += keys) {
      let sum = 0;
      for (let key = 0; key < keys; key++) sum += data[start + key] as number;
      const head = Math.floor(start / (keys * queries)) % heads;
      const whole = scores ? besideSink(scores.subarray(start, start + keys), sinks(layer).item(head)) : 1;
      expect(Math.abs(sum - whole), address).toBeLessThan(1e-5);
    }
  }
}

/** Models whose attention is normed after its output projection: what heads write does not add up behind the norm. */
const normedAfter = ["gemma2", "gemma3", "olmo2"];

describe.each(decoders)("laws of attention in %s", (name) => {
  it("hold for rows, heads and groups", async () => {
    const { model, input, run } = await opened(name);

    const stored =
      name === "gpt_oss" ? await readTensors(`${(await readOracle(name)).folder}/model.safetensors`) : null;
    expectRowsToSumToOne(
      model,
      run,
      stored ? (block) => stored.get(`model.layers.${block}.self_attn.sinks`)! : undefined,
    );

    // What the heads write, and the bias once, is what attention writes.
    const outputWith = async (chosen: (head: number) => boolean): Promise<Float64Array> => {
      const interventions = [only(at("z"), chosen)];
      const edited = await model.run(input, { capture: [`blocks.${layer}.attn_out`], patterns: false, interventions });
      return edited.at(`blocks.${layer}.attn_out`).numbers();
    };
    if (!normedAfter.includes(name)) {
      const bias = await outputWith(() => false);
      const sum = Float64Array.from(bias);
      for (let head = 0; head < model.heads; head++) {
        (await outputWith((other) => other === head)).forEach((x, i) => (sum[i] += x - bias[i]));
      }
      const whole = run.at(`blocks.${layer}.attn_out`).numbers();
      expect(Math.max(...whole.map((x, i) => Math.abs(x - sum[i])))).toBeLessThan(1e-4);
    }

    // A group's key is read by its own queries and by no others.
    // OLMo 2 norms all keys of a position together: there they are apart only afterwards.
    const perGroup = model.heads / model.kvHeads;
    const keys = at(model.addresses.includes(at("rot_k")) ? "rot_k" : "k");
    for (let group = 0; group < model.kvHeads; group++) {
      const interventions = [only(keys, (other) => other !== group)];
      const edited = await model.run(input, { interventions });
      for (let head = 0; head < model.heads; head++) {
        const difference = maxAbsDiff(edited.at(at("pattern")).slice(0, head), run.at(at("pattern")).slice(0, head));
        if (Math.floor(head / perGroup) === group) expect(difference).toBeGreaterThan(1e-3);
        else expect(difference).toBe(0);
      }
    }
    await model.dispose();
  });
});

describe.each([...encoders, ...pairs, ...seeing])("every attention of %s", (name) => {
  it("is shared out whole among the keys", async () => {
    const oracle = await readOracle(name);
    const model = await load(oracle.folder);
    // Pooling attentions are no layer's, and are asked for by name.
    const capture = model.addresses.filter((address) => address.endsWith("attn.pattern"));
    expectRowsToSumToOne(model, await model.run(anyInputOf(oracle), { capture }));
    await model.dispose();
  });
});

/** Models with rotary positions and without norms between `q` and `rot_q`. */
const turned = [
  "gpt_neox", "llama_rope3", "mistral", "qwen2", "gemma2", "phi3", "falcon", "falcon_new", "mixtral", "gemma", "olmo",
  "granite", "stablelm", "llama_yarn", "phi3_long",
]; // prettier-ignore

describe.each(turned)("rotary positions of %s", (name) => {
  it("keep the length of each query and key, or stretch all alike", async () => {
    const { model, run } = await opened(name);
    for (const part of ["q", "k"]) {
      const [before, after] = [run.at(at(part)), run.at(at(`rot_${part}`))];
      expect(maxAbsDiff(before, after)).toBeGreaterThan(1e-2);
      if (["llama_yarn", "phi3_long"].includes(name)) continue; // checked as magnitudes by rotary.test.ts
      const [old, now] = [before.numbers(), after.numbers()];
      for (let start = 0; start < old.length; start += model.headDim) {
        const norm = (x: Float64Array): number => Math.hypot(...x.subarray(start, start + model.headDim));
        expect(norm(now)).toBeCloseTo(norm(old), 4);
      }
    }
    await model.dispose();
  });
});

describe("layers with and without a window", () => {
  it("of Gemma 3 show the last four keys, and all", async () => {
    const { model, run, input } = await opened("gemma3");
    const mask = input.attentionMask;
    const length = mask[0].length;
    expect(length).toBeGreaterThan(4);
    const seen = (block: number, query: number): number =>
      run
        .at(`blocks.${block}.attn.pattern`)
        .slice(0, 0, query)
        .numbers()
        .filter((share) => share > 0).length;
    expect(rowsOf(new Tensor("int32", [1, length], Int32Array.from(mask[0])))[0].every((real) => real === 1)).toBe(
      true,
    );
    for (let query = 0; query < length; query++) {
      expect([0, 1, 2].map((block) => seen(block, query))).toEqual([
        Math.min(query + 1, 4),
        query + 1,
        Math.min(query + 1, 4),
      ]);
    }
    await model.dispose();
  });
});
