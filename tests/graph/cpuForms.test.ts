import { expect, it } from "vitest";
import { build, encodeOnnx, evaluate, gradients, input, programOf, repeat } from "../../kernel/lib/graph/index.js";
import type { Value } from "../../kernel/lib/graph/index.js";
import { OrtEngine } from "../../kernel/lib/host/session.js";
import { random, Tensor } from "../../kernel/lib/tensor/index.js";

function expectClose(got: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number): void {
  expect(got.length).toBe(expected.length);
  const errors = Array.from(expected, (x, i) => Math.abs(x - got[i]));
  expect(Math.max(...errors)).toBeLessThan(tolerance);
}

const forCpu = { fuseTransposed: true, spreadNumbers: true };
const textOf = (outputs: Readonly<Record<string, Value>>, options = {}): string =>
  Buffer.from(encodeOnnx(programOf(outputs), options).bytes).toString("latin1");

async function runOnce(outputs: Readonly<Record<string, Value>>, feeds: Readonly<Record<string, Tensor>>) {
  const compiled = await new OrtEngine("cpu").compile(outputs);
  const found = await compiled.run(feeds);
  await compiled.dispose();
  return found;
}

it("products read transposed operands in place, and agree with the reference", async () => {
  const q = input("q", "float32", [2, 3, 5, 4]);
  const k = input("k", "float32", [2, 3, 7, 4]);
  const swapped = (x: Value): Value => build.transpose(x, [0, 1, 3, 2]);
  const outputs = {
    right: build.matMul(q, swapped(k)),
    left: build.matMul(swapped(q), q),
    both: build.matMul(swapped(q), swapped(build.matMul(k, swapped(q)))),
  };
  expect(textOf(outputs)).toContain("Transpose");
  expect(textOf(outputs, forCpu)).not.toContain("Transpose");
  const feeds = { q: random(1).normal([2, 3, 5, 4]), k: random(2).normal([2, 3, 7, 4]) };
  const [found, expected] = [await runOnce(outputs, feeds), evaluate(outputs, feeds)];
  for (const name of Object.keys(outputs)) expectClose(found[name].numbers(), expected[name].data, 1e-5);
});

it("a transpose that something else reads stays, also where a loop's body gives it back or finds it outside", async () => {
  const x = input("x", "float32", [6, 3]);
  const turned = build.transpose(x, [1, 0]);
  const outputs = { product: build.matMul(turned, x), turned };
  const { last, collected } = repeat(2, { sum: build.matMul(turned, x) }, ({ sum }) => {
    const back = build.transpose(sum, [1, 0]);
    const outside = build.matMul(turned, x);
    return { next: { sum: build.mul(build.add(build.matMul(back, sum), outside), 0.1) }, collect: { back } };
  });
  const again = repeat(2, { sum: x }, ({ sum }) => {
    return { next: { sum: build.mul(build.matMul(sum, build.matMul(turned, sum)), 0.1) } };
  });
  const all = { ...outputs, sum: last["sum"], backs: collected["back"], again: again.last["sum"] };
  const feeds = { x: random(3).normal([6, 3]) };
  const [found, expected] = [await runOnce(all, feeds), evaluate(all, feeds)];
  for (const name of Object.keys(all)) expectClose(found[name].numbers(), expected[name].data, 1e-4);
});

it("a number beside a large operand is written as a row, and gives the same numbers bit by bit", async () => {
  const shape = [16, 64, 64];
  const x = input("x", "float32", shape);
  const outputs = {
    sum: build.add(x, 0.3),
    from: build.sub(0.3, x),
    times: build.mul(x, 0.3),
    over: build.div(x, 0.3),
  };
  expect(encodeOnnx(programOf(outputs), forCpu).bytes.length).toBeGreaterThan(
    encodeOnnx(programOf(outputs)).bytes.length + 4 * 63,
  );
  const feeds = { x: random(4).normal(shape) as Tensor };
  const found = await runOnce(outputs, feeds);
  const c = Math.fround(0.3);
  const expected: Record<string, (x: number) => number> = {
    sum: (x) => x + c,
    from: (x) => c - x,
    times: (x) => x * c,
    over: (x) => x / c,
  };
  for (const [name, f] of Object.entries(expected)) {
    const numbers = Float32Array.from(feeds.x.data as Float32Array, f);
    expect((found[name].data as Float32Array).findIndex((y, i) => y !== numbers[i])).toBe(-1);
  }
  const small = { y: build.mul(input("x", "float32", [4, 64]), 0.3) };
  expect(textOf(small, { spreadNumbers: true })).toBe(textOf(small));
});

it("slopes of a table of few rows are a product, those of a longer one are added; both are those of the definition", () => {
  for (const [rows, op] of [
    [5, "MatMul"],
    [300, "ScatterElements"],
  ] as const) {
    const count = 2 * rows;
    const table = input("table", "float32", [rows, 3]);
    const ids = input("ids", "int64", [count]);
    const push = random(5).normal([count, 3]) as Tensor;
    const loss = build.reduceSum(build.mul(build.gather(table, ids, 0), input("push", "float32", [count, 3])));
    const [slope] = gradients(loss, [table]);
    expect(textOf({ slope })).toContain(op);
    // Counted from the end it is the same row.
    const read = Array.from({ length: count }, (_, i) => ((i * 7) % rows) - (i % 2) * rows);
    const expected = new Array<number>(rows * 3).fill(0);
    read.forEach((at, i) => [0, 1, 2].forEach((j) => (expected[((at + rows) % rows) * 3 + j] += push.item(i, j))));
    const feeds = {
      table: new Tensor("float32", [rows, 3], new Float32Array(rows * 3)),
      ids: new Tensor("int64", [count], BigInt64Array.from(read, BigInt)),
      push,
    };
    expectClose(evaluate({ slope }, feeds)["slope"].data, expected, 1e-6);
  }
});
