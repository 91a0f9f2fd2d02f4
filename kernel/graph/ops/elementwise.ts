import type { DType } from "../../tensor/index.js";
import { isFloat, ShapeError } from "../../tensor/index.js";
import type { Build } from "../builder.js";
import { broadcastShapes } from "../dims.js";
import { broadcastReader, broadcastSizes, erf, fill } from "../loops.js";
import type { Operator } from "../op.js";
import type { Value } from "../value.js";
import { unbroadcast } from "../unbroadcast.js";

/** Throws ShapeError unless all operands have the same dtype. */
function commonDtype(op: string, inputs: readonly Value[]): DType {
  const [first] = inputs;
  for (const { dtype } of inputs) {
    if (dtype !== first.dtype) throw new ShapeError(`${op}: operands differ in dtype, got ${first.dtype} and ${dtype}`);
  }
  return first.dtype;
}

function unary(
  op: string,
  f: (x: number) => number,
  derivative: (build: Build, x: Value, y: Value) => Value,
): Operator {
  return {
    arity: [1, 1],
    infer: ([x]) => {
      if (!isFloat(x.dtype) && op !== "Neg" && op !== "Abs") {
        throw new ShapeError(`${op}: expected a float operand, got ${x.dtype}`);
      }
      return { shape: x.shape, dtype: x.dtype };
    },
    reference: ([x]) => ({ shape: x.shape, data: x.data.map(f) }),
    vjp: (build, d, node) => [build.mul(d, derivative(build, node.inputs[0], node))],
  };
}

function binary(
  op: string,
  f: (a: number, b: number) => number,
  cotangents: (build: Build, d: Value, a: Value, b: Value) => readonly [Value, Value],
): Operator {
  return {
    arity: [2, 2],
    infer: ([a, b]) => ({ shape: broadcastShapes(op, a.shape, b.shape), dtype: commonDtype(op, [a, b]) }),
    reference: ([a, b]) => {
      const readA = broadcastReader(a);
      const readB = broadcastReader(b);
      return fill(broadcastSizes([a.shape, b.shape]), (_, index) => f(readA(index), readB(index)));
    },
    vjp: (build, d, { inputs: [a, b] }) => {
      const [da, db] = cotangents(build, d, a, b);
      return [unbroadcast(build, da, a.shape), unbroadcast(build, db, b.shape)];
    },
  };
}

function comparison(op: string, f: (a: number, b: number) => boolean): Operator {
  return {
    ...binary(
      op,
      (a, b) => (f(a, b) ? 1 : 0),
      (_, d) => [d, d],
    ),
    infer: ([a, b]) => {
      commonDtype(op, [a, b]);
      return { shape: broadcastShapes(op, a.shape, b.shape), dtype: "bool" };
    },
    vjp: () => [undefined, undefined],
  };
}

function logical(op: string, f: (a: number, b: number) => boolean): Operator {
  const base = comparison(op, f);
  return {
    ...base,
    infer: (inputs, attributes) => {
      if (inputs.some(({ dtype }) => dtype !== "bool")) {
        throw new ShapeError(`${op}: expected bool operands, got ${inputs.map(({ dtype }) => dtype).join(" and ")}`);
      }
      return base.infer(inputs, attributes);
    },
  };
}

/** Conversion of one number; float16 and float32 are kept in full precision by the reference. */
function castNumber(x: number, to: string): number {
  if (to === "bool") return x === 0 ? 0 : 1;
  return isFloat(to as DType) ? x : Math.trunc(x);
}

/** To the nearest whole number, ties to even. */
function roundEven(x: number): number {
  const floor = Math.floor(x);
  if (x - floor === 0.5) return floor % 2 === 0 ? floor : floor + 1;
  return Math.round(x);
}

/** A function that is constant between its steps: its derivative is 0 everywhere that it exists. */
function steps(op: string, f: (x: number) => number): Operator {
  return { ...unary(op, f, (_, x) => x), vjp: () => [undefined] };
}

/** The smaller or larger of two; ties share the cotangent evenly. */
function extremum(op: string, f: (a: number, b: number) => number, wins: "Less" | "Greater"): Operator {
  return binary(op, f, (build, d, a, b) => {
    const tie = build.mul(build.cast(build.equal(a, b), d.dtype), 0.5);
    const share = (x: Value, y: Value): Value =>
      build.mul(d, build.add(build.cast(build.apply(wins, [x, y]), d.dtype), tie));
    return [share(a, b), share(b, a)];
  });
}

export const elementwise: Readonly<Record<string, Operator>> = {
  Add: binary(
    "Add",
    (a, b) => a + b,
    (_, d) => [d, d],
  ),
  Sub: binary(
    "Sub",
    (a, b) => a - b,
    (build, d) => [d, build.neg(d)],
  ),
  Mul: binary(
    "Mul",
    (a, b) => a * b,
    (build, d, a, b) => [build.mul(d, b), build.mul(d, a)],
  ),
  Div: binary(
    "Div",
    (a, b) => a / b,
    (build, d, a, b) => {
      const da = build.div(d, b);
      return [da, build.neg(build.mul(da, build.div(a, b)))];
    },
  ),
  Pow: binary(
    "Pow",
    (a, b) => a ** b,
    (build, d, a, b) => [
      build.mul(d, build.mul(b, build.pow(a, build.sub(b, 1)))),
      build.mul(d, build.mul(build.pow(a, b), build.log(a))),
    ],
  ),
  Neg: unary(
    "Neg",
    (x) => -x,
    (build, x) => build.scalar(-1, x.dtype),
  ),
  Abs: unary("Abs", Math.abs, (build, x) =>
    build.sub(build.cast(build.greater(x, 0), x.dtype), build.cast(build.less(x, 0), x.dtype)),
  ),
  Exp: unary("Exp", Math.exp, (_, __, y) => y),
  Log: unary("Log", Math.log, (build, x) => build.reciprocal(x)),
  Sqrt: unary("Sqrt", Math.sqrt, (build, _, y) => build.div(0.5, y)),
  Reciprocal: unary(
    "Reciprocal",
    (x) => 1 / x,
    (build, _, y) => build.neg(build.mul(y, y)),
  ),
  Tanh: unary("Tanh", Math.tanh, (build, _, y) => build.sub(1, build.mul(y, y))),
  Sigmoid: unary(
    "Sigmoid",
    (x) => 1 / (1 + Math.exp(-x)),
    (build, _, y) => build.mul(y, build.sub(1, y)),
  ),
  Erf: unary("Erf", erf, (build, x) => build.mul(build.exp(build.neg(build.mul(x, x))), 2 / Math.sqrt(Math.PI))),
  Relu: unary(
    "Relu",
    (x) => Math.max(x, 0),
    (build, x) => build.cast(build.greater(x, 0), x.dtype),
  ),
  Softplus: unary(
    "Softplus",
    (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))),
    (build, x) => build.sigmoid(x),
  ),
  Floor: steps("Floor", Math.floor),
  Ceil: steps("Ceil", Math.ceil),
  Round: steps("Round", roundEven),
  Min: extremum("Min", Math.min, "Less"),
  Max: extremum("Max", Math.max, "Greater"),
  Sin: unary("Sin", Math.sin, (build, x) => build.cos(x)),
  Cos: unary("Cos", Math.cos, (build, x) => build.neg(build.sin(x))),
  Cast: {
    arity: [1, 1],
    attributes: { to: "dtype" },
    infer: ([x], { to }) => ({ shape: x.shape, dtype: to as DType }),
    reference: ([x], { to }) => ({ shape: x.shape, data: x.data.map((v) => castNumber(v, to as string)) }),
    vjp: (build, d, node) => {
      const [x] = node.inputs;
      return [isFloat(x.dtype) && isFloat(node.dtype) ? build.cast(d, x.dtype) : undefined];
    },
  },
  Equal: comparison("Equal", (a, b) => a === b),
  Less: comparison("Less", (a, b) => a < b),
  Greater: comparison("Greater", (a, b) => a > b),
  LessOrEqual: comparison("LessOrEqual", (a, b) => a <= b),
  GreaterOrEqual: comparison("GreaterOrEqual", (a, b) => a >= b),
  And: logical("And", (a, b) => a !== 0 && b !== 0),
  Or: logical("Or", (a, b) => a !== 0 || b !== 0),
  Not: {
    arity: [1, 1],
    infer: ([x]) => {
      if (x.dtype !== "bool") throw new ShapeError(`Not: expected a bool operand, got ${x.dtype}`);
      return { shape: x.shape, dtype: "bool" };
    },
    reference: ([x]) => ({ shape: x.shape, data: x.data.map((v) => (v === 0 ? 1 : 0)) }),
    vjp: () => [undefined],
  },
};
