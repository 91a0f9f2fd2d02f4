import { describe, expect, it } from "vitest";
import type { Program, Value } from "../../kernel/lib/graph/index.js";
import { build, constant, earlyRows, evaluate, flopsOf, input, programOf } from "../../kernel/lib/graph/index.js";
import { OrtEngine } from "../../kernel/lib/host/session.js";
import { load, logitDifference } from "../../kernel/lib/index.js";
import { random, tensor } from "../../kernel/lib/tensor/index.js";
import { readOracle } from "../models/oracle.js";

type Outputs = Readonly<Record<string, Value>>;

const [B, T, H, D] = [3, 5, 2, 4];
const M = H * D;
const weight = (seed: number, ...shape: number[]): Value => constant(random(seed).normal(shape, { deviation: 0.3 }));
const x = input("x", "float32", ["batch", "query", M]);
const rows = input("rows", "int64", ["batch", 2]);
const feeds = {
  x: random(1).normal([B, T, M]),
  // Rows in any order, one of them twice: nothing says that row r reads row r.
  rows: tensor([[2, 4], [0, 0], [2, 1]], "int64"), // prettier-ignore
};

/** One layer of attention and an MLP; places may enter by keys and queries, alike for all rows or not. */
function layer(seed: number, from: Value): Value {
  const normed = build.layerNormalization(from, weight(seed, M), weight(seed + 1, M), 1e-5);
  const heads = (i: number): Value =>
    build.transpose(build.reshape(build.matMul(normed, weight(seed + 2 + i, M, M)), ["batch", "query", H, D]), [0, 2, 1, 3]); // prettier-ignore
  const scores = build.matMul(heads(0), build.transpose(heads(1), [0, 1, 3, 2]));
  const order = build.cumSum(build.expand(build.scalar(1), ["query"]), 0);
  const future = build.less(build.unsqueeze(order, [1]), build.unsqueeze(order, [0])); // [Q,K]
  const alike = build.unsqueeze(build.cast(future, "float32"), [0, 1]); // [1,1,Q,K]
  const own = build.unsqueeze(build.reduceSum(normed, [2]), [1, 3]); // [B,1,Q,1]
  const biased = build.where(future, -1e9, build.add(build.add(scores, build.mul(alike, -2)), own));
  const z = build.matMul(build.softmax(biased, -1), heads(2));
  const joined = build.reshape(build.transpose(z, [0, 2, 1, 3]), ["batch", "query", M]);
  const middle = build.add(from, build.add(build.matMul(joined, weight(seed + 5, M, M)), weight(seed + 6, M)));
  const [low, high] = [build.slice(middle, 2, 0, D), build.slice(middle, 2, D, M)];
  const gated = build.concat([build.mul(build.sigmoid(low), high), build.gelu(high)], 2);
  return build.named("post", build.add(middle, build.matMul(gated, weight(seed + 7, M, M))));
}

const last = layer(100, layer(50, x));
const read = build.gatherND(last, rows); // [B,M]

function close(a: ArrayLike<number>, b: ArrayLike<number>, tolerance: number): void {
  expect(a.length).toBe(b.length);
  for (let i = 0; i < a.length; i++) expect(Math.abs(a[i] - b[i]), `at ${i}`).toBeLessThan(tolerance);
}

const flops = (program: Program): number => flopsOf(program, { batch: B, query: T });

async function same(outputs: Outputs): Promise<Program> {
  const whole = programOf(outputs);
  const early = earlyRows(whole);
  expect(Object.keys(early.outputs)).toEqual(Object.keys(outputs));
  const [expected, found] = [evaluate(outputs, feeds), evaluate(early.outputs, feeds)];
  const compiled = await new OrtEngine("cpu").compile(outputs);
  const run = await compiled.run(feeds);
  await compiled.dispose();
  for (const [name, { shape, dtype }] of Object.entries(outputs)) {
    expect([early.outputs[name].shape, early.outputs[name].dtype]).toEqual([shape, dtype]);
    expect(found[name].shape).toEqual(expected[name].shape);
    close(found[name].data, expected[name].data, 1e-12);
    close(run[name].numbers(), expected[name].data, 2e-5);
  }
  return early;
}

const texts = ({ values }: Program): readonly string[] => values.map(({ op, shape }) => `${op} [${shape.join()}]`);

describe("rows that are read at one place each", () => {
  it("are computed there alone: of a last layer keys and values stay whole", async () => {
    const early = await same({ read, sum: build.reduceSum(read, [1]) });
    const found = texts(early);
    // Queries, what attention writes, and the MLP, of one place; keys and values of all, in both layers.
    expect(found.filter((text) => text === `MatMul [batch,1,${M}]`)).toHaveLength(3);
    expect(found.filter((text) => text === `MatMul [batch,query,${M}]`)).toHaveLength(5 + 2);
    expect(found).toContain(`Softmax [batch,${H},1,query]`);
    expect(found.filter((text) => text === `Softmax [batch,${H},query,query]`)).toHaveLength(1);
    expect(early.values.filter(({ label }) => label === "post").map(({ shape }) => shape[1])).toEqual(["query", 1]);
    expect(flops(early)).toBeLessThan(0.8 * flops(programOf({ read })));
  });

  it("stay whole where anything else reads them", async () => {
    const outputs = { read, mean: build.reduceMean(last, [1]) };
    expect(texts(await same(outputs))).toEqual(texts(programOf(outputs)));
    const both = { read, whole: last };
    expect(texts(await same(both))).toEqual(texts(programOf(both)));
    const others = build.gatherND(last, build.sub(rows, 0)); // other indices, as far as the graph says
    const two = { read, others };
    expect(texts(await same(two))).toEqual(texts(programOf(two)));
  });

  it.each<readonly [string, (from: Value) => Value]>([
    ["a sum along them", (from) => build.cumSum(from, 1)],
    ["a reduction over heads", (from) => build.reduceMax(build.reshape(from, ["batch", "query", H, D]), [2])],
    ["what is spread over rows", (from) => build.add(from, build.reduceSum(from, [0], true))],
    ["a place that all rows share", (from) => build.mul(from, build.unsqueeze(build.reduceSum(from, [0, 2]), [1]))],
    ["a table of places", (from) => build.mul(from, build.expand(build.reduceSum(from, [0], true), from.shape))],
    ["rows that change places", (from) => build.matMul(build.softmax(build.transpose(from, [1, 0, 2]), 0), weight(7, M, M))],
    ["one value for a row", (from) => build.mul(from, build.unsqueeze(build.reduceSum(from, [1, 2]), [1, 2]))],
    ["a look-up", (from) => build.gather(weight(8, 9, M), build.cast(build.round(build.mul(build.sigmoid(build.mul(build.reduceSum(from, [2]), 9)), 8)), "int64"), 0)],
    ["columns", (from) => build.transpose(build.matMul(weight(9, M, M), build.transpose(from, [0, 2, 1])), [0, 2, 1])],
  ])("are what they were before: %s", async (_name, of) => {
    const value = of(layer(10, x));
    if (value.shape[0] === "batch") await same({ y: build.gatherND(value, rows) });
    else await same({ y: build.gatherND(build.transpose(value, [1, 0, 2]), rows) });
  }); // prettier-ignore

  it("are left as they are where they are many, or flat", async () => {
    const pairs = input("pairs", "int64", ["pairs", 2]);
    const more = programOf({ y: build.gatherND(last, pairs) });
    expect(earlyRows(more)).toBe(more);
    const flat = build.gatherND(build.matMul(build.reduceSum(x, [1]), weight(3, M, T)), rows); // [B,T] at [B,2]
    await same({ flat });
    const none = programOf({ last });
    expect(earlyRows(none)).toBe(none);
  });
});

it.each(["gpt2", "llama_rope3", "bloom", "gpt_neox"])("a metric of the last token of %s is that of all logits", async (name) => {
  const model = await load((await readOracle(name)).folder);
  const prompts = { inputIds: [[5, 6, 7, 8, 9], [4, 9, 4, 0, 0]], attentionMask: [[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]] };
  const metric = logitDifference(7, 9);
  let early = 0;
  const found = await model.compute(prompts, (site) => {
    const value = metric.write(site, [0, 1]);
    const whole = programOf({ value });
    early = flops(earlyRows(whole)) / flops(whole);
    return { value };
  });
  const { logits } = await model.run(prompts);
  const expected = [4, 2].map((t, b) => logits.item(b, t, 7) - logits.item(b, t, 9));
  close(found["value"].numbers(), expected, 1e-5);
  expect(early).toBeLessThan(0.9);
  await model.dispose();
}); // prettier-ignore
