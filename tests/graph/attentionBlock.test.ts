import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, it } from "vitest";
import type { Value } from "../../kernel/lib/graph/index.js";
import { build, evaluate, gradients, input } from "../../kernel/lib/graph/index.js";
import { files } from "../../kernel/lib/host/files.js";
import { OrtEngine } from "../../kernel/lib/host/session.js";
import { openSafetensors, readTensor } from "../../kernel/lib/models/safetensors.js";
import type { DType } from "../../kernel/lib/tensor/index.js";
import { packNumbers, Tensor } from "../../kernel/lib/tensor/index.js";

const path = fileURLToPath(new URL("../oracles/attentionBlock/record.safetensors", import.meta.url));
const [heads, headDim] = [3, 4];
const width = heads * headDim;
const record = new Map<string, Tensor>();
const parameters = ["ln.weight", "ln.bias", ..."qkvo"].flatMap((name) =>
  name.startsWith("ln") ? [name] : [`${name}.weight`, `${name}.bias`],
);

beforeAll(async () => {
  for (const [name, stored] of await openSafetensors(files, path)) record.set(name, await readTensor(files, stored));
});

/** The block of record.py: what it puts out, and the gradients of its loss. */
function block(dtype: DType, symbolic: boolean): Record<string, Value> {
  const [batch, length] = symbolic ? ["batch", "query"] : [2, 5];
  const x = input("x", dtype, [batch, length, width]);
  const leaf = new Map(parameters.map((name) => [name, input(name, dtype, record.get(name)!.shape)]));
  const mask = build.unsqueeze(input("mask", "bool", [batch, length, length]), [1]);
  const linear = (name: string, y: Value): Value =>
    build.add(build.matMul(y, build.transpose(leaf.get(`${name}.weight`)!, [1, 0])), leaf.get(`${name}.bias`)!);
  const normed = build.layerNormalization(x, leaf.get("ln.weight")!, leaf.get("ln.bias")!, 1e-5);
  const [q, k, v] = [..."qkv"].map((name) => build.reshape(linear(name, normed), [batch, length, heads, headDim]));
  const scores = build.mul(build.einsum("bqhd,bkhd->bhqk", q, k), headDim ** -0.5);
  const pattern = build.softmax(build.where(mask, scores, -1e9), 3);
  const z = build.matMul(pattern, build.transpose(v, [0, 2, 1, 3]));
  const out = build.add(x, linear("o", build.reshape(build.transpose(z, [0, 2, 1, 3]), [batch, length, width])));
  const loss = build.reduceSum(build.mul(out, input("cotangent", dtype, [batch, length, width])));
  const wrt = { x, ...Object.fromEntries(leaf), pattern, z };
  const derivatives = gradients(loss, Object.values(wrt));
  return { pattern, out, ...Object.fromEntries(Object.keys(wrt).map((name, i) => [`grad ${name}`, derivatives[i]])) };
}

function feeds(dtype: DType): Record<string, Tensor> {
  const fed = Object.fromEntries(
    ["x", "cotangent", ...parameters].map((name) => {
      const { shape, data } = record.get(name)!;
      return [name, new Tensor(dtype, shape, packNumbers(dtype, Array.from(data, Number)))];
    }),
  );
  return { ...fed, mask: record.get("mask")! };
}

function worst(got: ArrayLike<number>, name: string): number {
  const expected = record.get(name)!.data as ArrayLike<number>;
  expect(got.length).toBe(expected.length);
  return Array.from(got).reduce((max, x, i) => Math.max(max, Math.abs(x - expected[i])), 0);
}

describe("an attention block, forward and backward, against PyTorch", () => {
  it("the float64 reference agrees to 1e-12", () => {
    const results = evaluate(block("float64", false), feeds("float64"));
    expect(Object.keys(results)).toHaveLength(15);
    for (const [name, { data }] of Object.entries(results)) expect(worst(data, name), name).toBeLessThan(1e-12);
  });

  it.each([false, true])("onnxruntime agrees to 1e-5 in float32 (symbolic axes: %s)", async (symbolic) => {
    const compiled = await new OrtEngine("cpu").compile(block("float32", symbolic));
    const results = await compiled.run(feeds("float32"));
    await compiled.dispose();
    for (const [name, tensor] of Object.entries(results))
      expect(worst(tensor.numbers(), name), name).toBeLessThan(1e-5);
  });
});
