import { describe, expect, it } from "vitest";
import type { Value } from "../../kernel/lib/graph/index.js";
import { build, constant, evaluate, gradients, input } from "../../kernel/lib/graph/index.js";
import { OrtEngine } from "../../kernel/lib/host/session.js";
import { random, Tensor, tensor } from "../../kernel/lib/tensor/index.js";

const engine = new OrtEngine("cpu");

/** A graph's value in float64, after onnxruntime in float32 and differences have agreed with it. */
async function checked(make: (x: Value) => Value, x: Tensor, smooth = true): Promise<(number | string)[]> {
  const exact = make(input("x", "float64", x.shape));
  const feeds = { x: new Tensor("float64", x.shape, x.numbers()) };
  const value = evaluate({ y: exact }, feeds)["y"];

  const compiled = await engine.compile({ y: make(input("x", "float32", x.shape)) });
  const got = (await compiled.run({ x: new Tensor("float32", x.shape, Float32Array.from(x.numbers())) }))["y"];
  await compiled.dispose();
  expect(got.shape).toEqual([...value.shape]);
  got.numbers().forEach((y, i) => {
    const z = value.data[i];
    expect(Object.is(y, z) || Math.abs(y - z) <= 1e-5 * Math.max(1, Math.abs(z))).toBe(true);
  });

  if (smooth) {
    const leaf = input("x", "float64", x.shape);
    const y = make(leaf);
    const weights = constant(random(3).normal(y.shape as number[], { dtype: "float64" }));
    const loss = build.reduceSum(build.mul(y, weights));
    const slope = evaluate({ d: gradients(loss, [leaf])[0] }, feeds)["d"].data;
    const at = (i: number, step: number): number => {
      const data = feeds.x.numbers().map((v, k) => (k === i ? v + step : v));
      return evaluate({ loss }, { x: new Tensor("float64", x.shape, data) })["loss"].data[0];
    };
    slope.forEach((d, i) => expect(Math.abs(d - (at(i, 1e-5) - at(i, -1e-5)) / 2e-5)).toBeLessThan(1e-6));
  }
  return [...value.data].map((v) => (Number.isFinite(v) ? Number(v.toFixed(6)) : String(v)));
}

const some = tensor([[-2, -0.5, 0.25], [0.75, 1.5, 3]]); // prettier-ignore

describe("a composition equals its formula on both evaluators, and its gradient equals differences", () => {
  it.each<[string, (x: Value) => Value, readonly number[]]>([
    ["sign", build.sign, [-1, -1, 1, 1, 1, 1]],
    ["clip", (x) => build.clip(x, -1, 1), [-1, -0.5, 0.25, 0.75, 1, 1]],
    ["reduceMin", (x) => build.reduceMin(x, [0]), [-2, -0.5, 0.25]],
    ["pad with a number", (x) => build.pad(x, [[0, 0], [1, 0]], 7), [7, -2, -0.5, 0.25, 7, 0.75, 1.5, 3]], // prettier-ignore
    ["tile", (x) => build.tile(x, [1, 2]), [-2, -0.5, 0.25, -2, -0.5, 0.25, 0.75, 1.5, 3, 0.75, 1.5, 3]],
    ["slice from the end", (x) => build.slice(x, 1, -2, 3), [-0.5, 0.25, 1.5, 3]],
    ["the largest two", (x) => build.topK(x, 2, 1).values, [0.25, -0.5, 3, 1.5]],
    ["the smallest", (x) => build.topK(x, 1, 0, { largest: false }).values, [-2, -0.5, 0.25]],
    ["the upper triangle", (x) => build.triangle(x, { upper: true, diagonal: 1 }), [0, -0.5, 0.25, 0, 0, 3]],
  ])("%s", async (_, make, expected) => expect(await checked(make, some)).toEqual(expected));

  it("logSumExp and logSoftmax, where the exponentials would overflow too", async () => {
    const lse = (row: readonly number[]): number => Math.log(row.reduce((sum, x) => sum + Math.exp(x), 0));
    const rows = [0, 1].map((i) => [...some.slice(i).numbers()]);
    const sums = rows.map(lse);
    const near = (values: readonly number[]): number[] => values.map((v) => Number(v.toFixed(6)));
    expect(await checked((x) => build.logSumExp(x, [1]), some)).toEqual(near(sums));
    expect(await checked((x) => build.logSoftmax(x, 1), some)).toEqual(
      near(rows.flatMap((row, i) => row.map((x) => x - sums[i]))),
    );
    expect(await checked((x) => build.logSumExp(x), tensor([1000, 1000]))).toEqual(near([1000 + Math.LN2]));
    expect(await checked((x) => build.logSumExp(x), tensor([-Infinity, -Infinity]), false)).toEqual(["-Infinity"]);
  });

  it("oneHot", async () => {
    const ids = input("ids", "int64", [3]);
    const feeds = { ids: tensor([2, 0, 3], "int64") };
    const compiled = await engine.compile({ y: build.oneHot(ids, 3) });
    expect([...(await compiled.run(feeds))["y"].numbers()]).toEqual([0, 0, 1, 1, 0, 0, 0, 0, 0]);
    await compiled.dispose();
  });

  it("pools", async () => {
    const picture = tensor([[[[1, 2, 0], [4, 3, 9], [5, 7, 6]]]]); // prettier-ignore
    const overlapping = { strides: [1, 1] };
    const padded = { strides: [2, 2], pads: [[1, 0], [1, 0]] } as const; // prettier-ignore
    expect(await checked((x) => build.maxPool(x, [2, 2], overlapping), picture)).toEqual([4, 9, 7, 9]);
    expect(await checked((x) => build.maxPool(x, [2, 2], padded), picture)).toEqual([1, 2, 5, 9]);
    expect(await checked((x) => build.averagePool(x, [2, 2], overlapping), picture)).toEqual([2.5, 3.5, 4.75, 6.25]);
    expect(await checked((x) => build.averagePool(x, [2, 2], padded), picture)).toEqual([0.25, 0.5, 2.25, 6.25]);
  });

  it("round takes ties to even; clip keeps what is no number", async () => {
    const ties = tensor([-2.5, -1.5, -0.5, 0.5, 1.5, 2.5]);
    expect((await checked(build.round, ties, false)).map(Number)).toEqual([-2, -2, 0, 0, 2, 2]);
    expect(await checked((x) => build.clip(x, 0, 1), tensor([NaN]), false)).toEqual(["NaN"]);
  });
});

it.each<[() => unknown, string]>([
  [() => build.clip(constant(some), 1, -1), "clip: expected low ≤ high, got 1 and -1"],
  [() => build.tile(constant(some), [2]), "tile: expected 2 counts for [2,3], got [2]"],
  [() => build.pad(constant(some), [[0, -1]]), "Pad: expected 4 widths of at least 0 for [2,3], got [0,-1]"],
  [() => build.topK(constant(some), 4, 1), "TopK: expected 1 … 3 of [2,3], got 4"],
  [() => build.slice(constant(some), 1, 0, 3, 0), "Slice: 0 … 3 by 0 does not lie in axis 1 of [2,3]"],
  [() => build.pad(input("x", "float32", ["batch"]), [[1, 0]]), 'Pad: the symbolic axis "batch" cannot grow'],
  [() => build.conv(input("x", "float32", [1, 2, 5]), input("w", "float32", [3, 1, 2])), "Conv: 1 groups do not fit operands [1,2,5] and [3,1,2]"], // prettier-ignore
  [() => build.conv(input("x", "float32", [1, 2, 1]), input("w", "float32", [3, 2, 2])), "Conv: nothing is left of [1,2,1] by a kernel [3,2,2]"], // prettier-ignore
  [() => build.maxPool(input("x", "float32", [1, 1, 2]), [3]), "maxPool: a window of 3 does not fit axis 2 of [1,1,2]"],
  [() => build.gatherElements(constant(some), constant(tensor([0], "int64")), 0), "GatherElements: indices must be int64 within [2,3] but for axis 0, got [1] int64"], // prettier-ignore
])("mistake %# is told where it is made", (make, message) => expect(make).toThrow(message));
