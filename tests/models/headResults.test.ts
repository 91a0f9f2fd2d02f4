import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { GraphEdit, Model, ModelInput, Run, Tensor } from "../../kernel/lib/index.js";
import { graph, interventions, load } from "../../kernel/lib/index.js";
import {
  anyInputOf,
  decoders,
  encoders,
  maxAbsDiff,
  maxDiff,
  pairs,
  readOracle,
  readTensors,
  seeing,
} from "./oracle.js";

/** Sums over heads in another order: float32 rounding. */
const tolerance = 5e-5;

/** Models with a norm behind the projection: the name of its weight, what is added to it, and its epsilon. */
const normedAfter: Readonly<Record<string, readonly [plus: number, epsilon: number]>> = {
  gemma2: [1, 1e-6],
  gemma3: [1, 1e-6],
  olmo2: [0, 1e-5],
};

/** [B,Q,H,M] → Σ over heads, [B,Q,M]. */
function summed({ shape, data }: Tensor): Float64Array {
  const [batch, queries, heads, width] = shape as [number, number, number, number];
  const sum = new Float64Array(batch * queries * width);
  for (let i = 0; i < data.length; i++) {
    const row = Math.floor(i / (heads * width));
    sum[row * width + (i % width)] += Number(data[i]);
  }
  return sum;
}

/** x / √(mean x² + ε) · w over rows. */
function normed(x: Float64Array, weight: Float64Array, [plus, epsilon]: readonly [number, number]): Float64Array {
  const width = weight.length;
  return x.map((value, i) => {
    const row = x.subarray(i - (i % width), i - (i % width) + width);
    const power = row.reduce((sum, each) => sum + each * each, 0) / width;
    return (value / Math.sqrt(power + epsilon)) * (weight[i % width] + plus);
  });
}

/** Keeps what one head writes, or its output, away. */
function without(at: string, head: number): GraphEdit {
  const axis = at.endsWith("result") ? 2 : 1;
  return {
    name: "without",
    at: [at],
    edit: (value) => {
      const heads = value.shape[axis] as number;
      const parts = Array.from({ length: heads }, (_, i) => graph.build.slice(value, axis, i, i + 1));
      return graph.build.concat(
        parts.map((part, i) => (i === head ? graph.build.mul(part, 0) : part)),
        axis,
      );
    },
  };
}

describe.each([...encoders, ...decoders, ...pairs, ...seeing])("what each head of %s writes", (name) => {
  let model: Model;
  let input: ModelInput;
  let run: Run;
  let paths: readonly string[];
  beforeAll(async () => {
    const oracle = await readOracle(name);
    input = anyInputOf(oracle);
    model = await load(oracle.folder);
    paths = model.addresses.filter((at) => at.endsWith("attn.result")).map((at) => at.slice(0, -".result".length));
    const capture = paths.flatMap((path) => [`${path}.result`, `${path}_out`]);
    run = await model.run(input, { patterns: false, capture });
  });
  afterAll(() => model.dispose());

  it("adds up, with the bias once, to what attention writes", async () => {
    expect(paths).toEqual(model.addresses.filter((at) => at.endsWith("attn.z")).map((at) => at.slice(0, -".z".length)));
    const silent: GraphEdit = { name: "silent", at: paths.map((at) => `${at}.z`), edit: (z) => graph.build.mul(z, 0) };
    const outs = paths.map((path) => `${path}_out`);
    const biases = await model.run(input, { patterns: false, capture: outs, interventions: [silent] });
    const norm = normedAfter[name];
    const stored = norm && (await readTensors(join((await readOracle(name)).folder, "model.safetensors")));
    for (const [layer, path] of paths.entries()) {
      const { shape } = run.at(`${path}.result`);
      expect(shape[3]).toBe(run.at(`${path}_out`).shape[2]);
      const bias = biases.at(`${path}_out`).numbers();
      let sum = summed(run.at(`${path}.result`));
      if (norm) {
        // The norm of nothing is nothing: these have no bias.
        expect(bias.every((x) => x === 0)).toBe(true);
        const weight = stored.get(`model.layers.${layer}.post_attention_layernorm.weight`)!.numbers();
        sum = normed(sum, weight, norm);
      } else sum = sum.map((x, i) => x + bias[i]);
      expect(maxDiff(sum, run.at(`${path}_out`).numbers()), path).toBeLessThan(tolerance);
    }
  });

  it("is what the run loses without the head, and nothing where it is only touched", async () => {
    const path = paths[Math.floor(paths.length / 2)];
    const outputs = (await model.run(input, { patterns: false })).addresses;
    const after = async (...edits: GraphEdit[]): Promise<Run> =>
      model.run(input, { patterns: false, interventions: edits });
    const [byResult, byOutput] = [await after(without(`${path}.result`, 1)), await after(without(`${path}.z`, 1))];
    const touched = await after(...paths.map((at) => interventions.scale({ at: `${at}.result`, factor: 1 })));
    const difference = (a: Run, b: Run): number =>
      Math.max(...outputs.map((output) => maxAbsDiff(a.at(output), b.at(output))));
    expect(difference(byResult, byOutput)).toBeLessThan(tolerance);
    expect(difference(byResult, run)).toBeGreaterThan(1e-4);
    expect(difference(touched, run)).toBe(0);
  });
});

describe.each(["gpt2", "bart", "granite"])("the derivative by what the heads of %s write", (name) => {
  it("is that by what attention writes, for each of them", async () => {
    const oracle = await readOracle(name);
    const model = await load(oracle.folder);
    const path = model.addresses
      .filter((at) => at.endsWith("attn.result"))
      .at(-1)!
      .slice(0, -".result".length);
    const { at } = await model.gradients(anyInputOf(oracle), { of: "loss", at: [`${path}.result`, `${path}_out`] });
    const [each, out] = [at(`${path}.result`), at(`${path}_out`)];
    expect(out.numbers().some((x) => x !== 0)).toBe(true);
    for (let b = 0; b < each.shape[0]; b++) {
      for (let query = 0; query < each.shape[1]; query++) {
        for (let head = 0; head < model.heads; head++) {
          expect(maxAbsDiff(each.slice(b, query, head), out.slice(b, query))).toBeLessThan(1e-6);
        }
      }
    }
    await model.dispose();
  });
});
