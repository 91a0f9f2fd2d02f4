import { stridesOf } from "../../tensor/index.js";
import type { Build } from "../builder.js";
import type { Dim } from "../dims.js";
import { productOf } from "../dims.js";
import { fill, flatIndex } from "../loops.js";
import type { Dense, Operator } from "../op.js";
import { numberOf, numbersOf } from "../op.js";
import type { Attributes, Value } from "../value.js";

function keptShape<D>(shape: readonly D[], attributes: Attributes, one: D): D[] {
  const axes = numbersOf(attributes, "axes");
  const keep = numberOf(attributes, "keepdims") === 1;
  return shape.flatMap((dim, axis) => (axes.includes(axis) ? (keep ? [one] : []) : [dim]));
}

function reduceLoop(x: Dense, attributes: Attributes, start: number, step: (sum: number, v: number) => number): Dense {
  const axes = numbersOf(attributes, "axes");
  const kept = x.shape.map((dim, axis) => (axes.includes(axis) ? 1 : dim));
  const strides = stridesOf(kept).map((stride, axis) => (axes.includes(axis) ? 0 : stride));
  const out = fill(kept, () => start);
  fill(x.shape, (flat, index) => {
    const at = flatIndex(strides, index);
    return (out.data[at] = step(out.data[at], x.data[flat]));
  });
  return { shape: keptShape(x.shape, attributes, 1), data: out.data };
}

/** A reduced value stretched back over the axes it lost. */
function stretch(build: Build, d: Value, node: Value): Value {
  const [x] = node.inputs;
  const kept = numberOf(node.attributes, "keepdims") === 1;
  return build.expand(kept ? d : build.unsqueeze(d, numbersOf(node.attributes, "axes")), x.shape);
}

const shared = {
  arity: [1, 1],
  attributes: { axes: "axes", keepdims: "int" },
  infer: ([x]: readonly Value[], attributes: Attributes) => ({
    shape: keptShape<Dim>(x.shape, attributes, 1),
    dtype: x.dtype,
  }),
} as const;

export const reduce: Readonly<Record<string, Operator>> = {
  ReduceSum: {
    ...shared,
    reference: ([x], attributes) => reduceLoop(x, attributes, 0, (sum, v) => sum + v),
    vjp: (build, d, node) => [stretch(build, d, node)],
  },
  ReduceMean: {
    ...shared,
    reference: ([x], attributes) => {
      const count = numbersOf(attributes, "axes").reduce((product, axis) => product * x.shape[axis], 1);
      const { shape, data } = reduceLoop(x, attributes, 0, (sum, v) => sum + v);
      return { shape, data: data.map((v) => v / count) };
    },
    vjp: (build, d, node) => {
      const [x] = node.inputs;
      const axes = numbersOf(node.attributes, "axes");
      const dims = axes.map((axis) => x.shape[axis]);
      const count = productOf(dims);
      const divisor =
        typeof count === "number"
          ? build.scalar(count, x.dtype)
          : build.reduceSum(build.expand(build.scalar(1, x.dtype), dims));
      return [build.div(stretch(build, d, node), divisor)];
    },
  },
  ReduceProd: {
    ...shared,
    reference: ([x], attributes) => reduceLoop(x, attributes, 1, (product, v) => product * v),
    // Exact with zeros among the factors too: one zero leaves the product of the others, two leave nothing.
    // Second derivatives hold where no factor is 0.
    vjp: (build, d, node) => {
      const [x] = node.inputs;
      const axes = numbersOf(node.attributes, "axes");
      const zero = build.equal(x, 0);
      const zeros = build.reduceSum(build.cast(zero, x.dtype), axes, true);
      const filled = build.where(zero, 1, x);
      const rest = build.div(build.apply("ReduceProd", [filled], { axes, keepdims: 1 }), filled);
      const others = build.sub(zeros, build.cast(zero, x.dtype));
      return [build.mul(stretch(build, d, node), build.where(build.equal(others, 0), rest, 0))];
    },
  },
  ReduceMax: {
    ...shared,
    reference: ([x], attributes) => reduceLoop(x, attributes, -Infinity, Math.max),
    // Ties share the cotangent evenly.
    vjp: (build, d, node) => {
      const [x] = node.inputs;
      const hit = build.cast(build.equal(x, stretch(build, node, node)), x.dtype);
      const count = build.reduceSum(hit, numbersOf(node.attributes, "axes"), true);
      return [build.mul(stretch(build, d, node), build.div(hit, count))];
    },
  },
};
