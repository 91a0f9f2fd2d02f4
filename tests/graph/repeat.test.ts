import { describe, expect, it } from "vitest";
import type { Value } from "../../kernel/lib/graph/index.js";
import {
  decodeOnnx,
  build,
  constant,
  encodeOnnx,
  evaluate,
  gradients,
  input,
  inputName,
  programOf,
  repeat,
  substitute,
  unrolled,
} from "../../kernel/lib/graph/index.js";
import { OrtEngine } from "../../kernel/lib/host/session.js";
import type { DType } from "../../kernel/lib/tensor/index.js";
import { random, Tensor, tensor } from "../../kernel/lib/tensor/index.js";

const engine = new OrtEngine("cpu");

type Outputs = Readonly<Record<string, Value>>;

interface Case {
  readonly leaves: readonly Value[];
  readonly outputs: Outputs;
}

/** h ← tanh(h · w + x), which reads a sequence, carries a state, keeps each state and shares a weight. */
function recurrence(dtype: DType, reverse = false): Case {
  const [h, w, xs] = [input("h", dtype, [2, 3]), input("w", dtype, [3, 3]), input("xs", dtype, [5, 2, 3])];
  const { last, collected } = repeat(
    5,
    { h },
    ({ h: held }, { x }) => {
      const next = build.tanh(build.add(build.matMul(held, w), x));
      return { next: { h: next }, collect: { h: next, square: build.mul(held, held) } };
    },
    { over: { x: xs }, reverse },
  );
  return { leaves: [h, w, xs], outputs: { last: last.h, all: collected.h, square: collected.square } };
}

/** Two states that change places, and the number of the turn. */
function exchange(dtype: DType): Case {
  const [a, b] = [input("a", dtype, [3]), input("b", dtype, [3])];
  const { last, collected } = repeat(4, { a, b }, ({ a: left, b: right }, _, turn) => ({
    next: { a: right, b: build.mul(left, build.add(right, build.cast(turn, dtype))) },
    collect: { turn },
  }));
  return { leaves: [a, b], outputs: { first: last.a, second: last.b, turn: collected.turn } };
}

/** A loop in a loop, whose inner body reads the outer state. */
function nested(dtype: DType): Case {
  const [x, w] = [input("x", dtype, [2]), input("w", dtype, [2])];
  const outer = repeat(3, { x }, ({ x: far }) => {
    const inner = repeat(2, { y: w }, ({ y }) => ({ next: { y: build.sin(build.mul(y, far)) } }));
    return { next: { x: build.add(far, inner.last.y) } };
  });
  return { leaves: [x, w], outputs: { far: outer.last.x } };
}

/** Gradient descent on a quadratic: the body takes a derivative itself. */
function descent(dtype: DType): Case {
  const [w, rows] = [input("w", dtype, [3]), input("rows", dtype, [4, 2, 3])];
  const { last, collected } = repeat(
    4,
    { w },
    ({ w: held }, { x }) => {
      const loss = build.reduceMean(build.pow(build.reduceSum(build.sin(build.mul(x, held)), [1]), 2));
      return {
        next: { w: build.sub(held, build.mul(gradients(loss, [held])[0], 0.1)) },
        collect: { loss },
      };
    },
    { over: { x: rows } },
  );
  return { leaves: [w, rows], outputs: { end: last.w, loss: collected.loss } };
}

const cases: Readonly<Record<string, (dtype: DType) => Case>> = {
  recurrence,
  "recurrence in reverse": (dtype) => recurrence(dtype, true),
  exchange,
  nested,
  descent,
};

function feedsOf(leaves: readonly Value[]): Record<string, Tensor> {
  return Object.fromEntries(
    leaves.map((leaf, i) => [
      inputName(leaf),
      random(i + 1).uniform(leaf.shape as number[], { low: 0.2, high: 1, dtype: leaf.dtype as "float64" }) as Tensor,
    ]),
  );
}

function singles(feeds: Readonly<Record<string, Tensor>>): Record<string, Tensor> {
  return Object.fromEntries(
    Object.entries(feeds).map(([name, { shape, data }]) => [
      name,
      new Tensor("float32", shape, Float32Array.from(data as Float64Array)),
    ]),
  );
}

function dataOf(results: ReturnType<typeof evaluate>): Record<string, Tensor> {
  return Object.fromEntries(
    Object.entries(results).map(([name, { shape, data }]) => [name, new Tensor("float64", shape, data)]),
  );
}

function expectClose(got: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number): void {
  expect(got.length).toBe(expected.length);
  for (let i = 0; i < got.length; i++) {
    expect(Math.abs(got[i] - expected[i]) / Math.max(1, Math.abs(expected[i]))).toBeLessThanOrEqual(tolerance);
  }
}

/** A scalar that sees every element of every float output differently. */
function lossOf(outputs: Outputs): Value {
  return Object.values(outputs)
    .filter(({ dtype }) => dtype.startsWith("float"))
    .map((y, i) => {
      const weights = random(i + 20).normal(y.shape as number[], { dtype: y.dtype as "float64" });
      return build.reduceSum(build.mul(y, constant(weights)));
    })
    .reduce((a, b) => build.add(a, b));
}

describe.each(Object.entries(cases))("%s", (_, make) => {
  const { leaves, outputs } = make("float64");
  const feeds = feedsOf(leaves);

  it("equals its turns written out one by one", () => {
    const plain = unrolled(outputs);
    expect(programOf(outputs).values.some(({ op }) => op === "Scan")).toBe(true);
    expect(programOf(plain).values.some(({ op }) => op === "Scan")).toBe(false);
    const [got, expected] = [evaluate(outputs, feeds), evaluate(plain, feeds)];
    for (const name of Object.keys(outputs)) {
      expect([got[name].shape, outputs[name].shape]).toEqual([expected[name].shape, expected[name].shape]);
      expectClose(got[name].data, expected[name].data, 1e-14);
    }
  });

  it("runs as it evaluates, with its gradient, as loops", async () => {
    const single = make("float32");
    const slopes = gradients(lossOf(single.outputs), single.leaves);
    const all = { ...single.outputs, ...Object.fromEntries(slopes.map((d, i) => [`d${i}`, d])) };
    const fed = singles(feeds);
    const expected = evaluate(all, fed);
    const compiled = await engine.compile(all);
    const got = await compiled.run(fed);
    await compiled.dispose();
    for (const name of Object.keys(all)) {
      expect([got[name].shape, got[name].dtype]).toEqual([[...expected[name].shape], all[name].dtype]);
      expectClose(got[name].numbers(), expected[name].data, 2e-5);
    }
  });

  it("is read back from ONNX, and gives the same bytes from then on", async () => {
    const single = make("float32");
    const fed = singles(feeds);
    const decoded = decodeOnnx(encodeOnnx(programOf(single.outputs)).bytes);
    expect(evaluate(decoded.outputs, fed)).toEqual(evaluate(single.outputs, fed));
    const again = encodeOnnx(programOf(decoded.outputs)).bytes;
    expect(encodeOnnx(programOf(decodeOnnx(again).outputs)).bytes).toEqual(again);
    const [original, read] = [await engine.compile(single.outputs), await engine.compile(decoded.outputs)];
    expect(await read.run(fed)).toEqual(await original.run(fed));
    await Promise.all([original.dispose(), read.dispose()]);
  });

  it("has the gradient of its turns, which equals differences, and so does the second one", () => {
    const loss = lossOf(outputs);
    const first = gradients(loss, leaves);
    const derivatives = (values: readonly Value[]): Outputs => Object.fromEntries(values.map((d, i) => [`d${i}`, d]));
    const got = evaluate(derivatives(first), feeds);
    const plain = evaluate(derivatives(gradients(unrolled({ loss })["loss"], leaves)), feeds);
    for (const name of Object.keys(got)) expectClose(got[name].data, plain[name].data, 1e-12);

    const slope = lossOf(derivatives(first));
    const second = evaluate(derivatives(gradients(slope, leaves)), feeds);
    const ways = leaves.map(({ shape }, i) =>
      random(i + 40)
        .normal(shape as number[], { dtype: "float64" })
        .numbers(),
    );
    const along = (results: typeof second): number =>
      ways.reduce((sum, way, i) => way.reduce((s, x, k) => s + x * results[`d${i}`].data[k], sum), 0);
    const at = (step: number): Record<string, Tensor> =>
      Object.fromEntries(
        leaves.map((leaf, i) => {
          const { shape, data } = feeds[inputName(leaf)];
          const moved = (data as Float64Array).map((x, k) => x + step * ways[i][k]);
          return [inputName(leaf), new Tensor("float64", shape, moved)];
        }),
      );
    const [up, down] = [evaluate({ loss, slope }, at(1e-5)), evaluate({ loss, slope }, at(-1e-5))];
    const difference = (name: string): number => (up[name].data[0] - down[name].data[0]) / 2e-5;
    expectClose([along(got)], [difference("loss")], 1e-6);
    expectClose([along(second)], [difference("slope")], 1e-6);
  });
});

describe("repeat", () => {
  const x = input("x", "float32", [3]);
  const body = (y: Value): Value => build.sin(build.mul(y, y));

  it("once is its body", () => {
    const feeds = { x: tensor([0.1, 2, -3]) };
    const { last } = repeat(1, { y: x }, ({ y }) => ({ next: { y: body(y) } }));
    expect(evaluate({ y: last.y }, feeds)).toEqual(evaluate({ y: body(x) }, feeds));
  });

  it("runs as often as a sequence is long, which only the run may tell", async () => {
    const xs = input("xs", "float32", ["query", "batch", 2]);
    const { last, collected } = repeat(
      "query",
      { sum: build.expand(build.scalar(0), ["batch", 2]) },
      ({ sum }, { one }, turn) => {
        const wide = build.reshape(build.expand(build.unsqueeze(one, [0]), [3, "batch", 2]), ["3*batch", 2]);
        const next = build.add(sum, build.reduceMax(build.reshape(wide, [3, "batch", 2]), [0]));
        return { next: { sum: next }, collect: { sum: next, turn } };
      },
      { over: { one: xs } },
    );
    const outputs = { last: last.sum, ...collected };
    expect(outputs.sum.shape).toEqual(["query", "batch", 2]);
    expect(() => unrolled(outputs)).toThrow('"query" turns cannot be written out one by one');
    const compiled = await engine.compile(outputs);
    for (const length of [1, 2, 5]) {
      const feeds = { xs: random(length).normal([length, 3, 2]) as Tensor };
      const expected = evaluate({ all: build.cumSum(xs, 0) }, feeds)["all"];
      const got = await compiled.run(feeds);
      expectClose(got["sum"].numbers(), expected.data, 1e-6);
      expectClose(got["last"].numbers(), expected.data.subarray(-6), 1e-6);
      expectClose(evaluate(outputs, feeds)["sum"].data, expected.data, 1e-12);
      expect([...got["turn"].numbers()]).toEqual(Array.from({ length }, (_, i) => i));
    }
    await compiled.dispose();
  });

  it("of a length that only the run tells is read back from ONNX", () => {
    const xs = input("xs", "float32", ["query", 2]);
    const { collected } = repeat(
      "query",
      { sum: build.expand(build.scalar(0), [2]) },
      ({ sum }, { one }) => {
        const next = build.add(sum, one);
        return { next: { sum: next }, collect: { sum: next } };
      },
      { over: { one: xs } },
    );
    const { outputs } = decodeOnnx(encodeOnnx(programOf(collected)).bytes);
    expect(outputs["sum"].shape).toEqual(["query", 2]);
    const feeds = { xs: random(1).normal([5, 2]) as Tensor };
    expect(evaluate(outputs, feeds)["sum"].data).toEqual(evaluate({ sum: build.cumSum(xs, 0) }, feeds)["sum"].data);
  });

  it("computes once what no turn changes, and collects only what is read", () => {
    const weight = build.exp(x);
    const { last } = repeat(3, { y: x }, ({ y }) => {
      const next = build.mul(y, build.neg(weight));
      return { next: { y: next }, collect: { unread: build.sqrt(next) } };
    });
    const { values } = programOf({ y: last.y });
    expect(values.map(({ op }) => op).filter(Boolean)).toEqual(["Exp", "Neg", "Scan"]);
    expect(Buffer.from(encodeOnnx(programOf({ y: last.y })).bytes).toString("latin1")).not.toContain("Sqrt");
  });

  it.each<[() => unknown, string]>([
    [() => repeat(0, { x }, ({ x: y }) => ({ next: { x: y } })), "expected a whole number of at least 1 turns, got 0"],
    [() => repeat("query", { x }, ({ x: y }) => ({ next: { x: y } })), "query turns need a sequence of that length"],
    [() => repeat(2, { x }, ({ x: y }) => ({ next: { x: y } }), { over: { x } }), 'the first axis of "x" must be 2, got [3]'], // prettier-ignore
    [() => repeat(2, { x }, ({ x: y }) => ({ next: { x: build.reduceSum(y) } })), 'the next "x" must be [3] float32 as the state is, got [] float32'], // prettier-ignore
    [() => repeat(2, { x }, ({ x: y }) => ({ next: { z: y } as never })), "state and next must have the same names, got x and z"], // prettier-ignore
    [() => repeat(2, { x }, ({ x: y }) => ({ next: { x: y } }), { backwards: true } as never), 'unknown option "backwards"'], // prettier-ignore
  ])("refuses mistake %#", (make, message) => expect(make).toThrow(message));

  it("is rewritten like any other value", () => {
    const { leaves, outputs } = recurrence("float64");
    const [, w, xs] = leaves;
    const otherW = build.sin(w);
    const otherXs = build.neg(xs);
    const changed = build.concat(
      Object.values(outputs).map((y) => build.reshape(y, [y.shape.length === 2 ? 6 : 30])),
      0,
    );
    const replaced = substitute(changed, new Map([[w, otherW], [xs, otherXs]])); // prettier-ignore
    const feeds = feedsOf(leaves);
    const moved = { ...feeds, ...dataOf(evaluate({ w: otherW, xs: otherXs }, feeds)) };
    expect(programOf({ y: replaced }).values.filter(({ op }) => op === "Scan")).toHaveLength(3);
    expect(evaluate({ y: replaced }, feeds)).toEqual(evaluate({ y: changed }, moved));
    const slope = (y: Value): Value => gradients(build.reduceSum(y), [leaves[0]])[0];
    expectClose(
      evaluate({ d: slope(replaced) }, feeds)["d"].data,
      evaluate({ d: slope(changed) }, moved)["d"].data,
      1e-12,
    );
  });

  it("says so when a value of its body is read outside", () => {
    let lost = x;
    repeat(2, { x }, ({ x: y }) => ({ next: { x: (lost = build.neg(y)) } }));
    expect(() => programOf({ lost })).toThrow('repeat: "x" is read outside of its loop; collect it');
  });
});
