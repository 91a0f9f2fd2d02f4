import type { DType } from "../tensor/index.js";
import { asAxis, knownNames, OptionError, ShapeError, Tensor, packNumbers } from "../tensor/index.js";
import { addedRows } from "./addedRows.js";
import type { Build, Operand } from "./builder.js";
import * as composed from "./compositions.js";
import { einsum } from "./einsum.js";
import { constant, operators } from "./ops/index.js";
import { markPlace } from "./origins.js";
import type { Attributes, Value } from "./value.js";

function apply(op: string, inputs: readonly Value[], attributes: Attributes = {}): Value {
  const operator = Object.hasOwn(operators, op) ? operators[op] : undefined;
  if (!operator) throw new OptionError(`graph: unknown operator "${op}"${knownNames(op, Object.keys(operators))}`);
  const [fewest, most] = operator.arity;
  if (inputs.length < fewest || inputs.length > most) {
    throw new ShapeError(
      `${op}: expected ${fewest === most ? fewest : `${fewest} … ${most}`} operands, got ${inputs.length}`,
    );
  }
  const known = Object.keys(operator.attributes ?? {});
  const unknown = Object.keys(attributes).find((name) => !known.includes(name));
  if (unknown !== undefined)
    throw new OptionError(`${op}: unknown attribute "${unknown}"${knownNames(unknown, known)}`);
  const { shape, dtype } = operator.infer(inputs, attributes);
  const own = Object.freeze({ ...attributes });
  const value = Object.freeze<Value>({ op, inputs: Object.freeze([...inputs]), attributes: own, shape, dtype });
  markPlace(value);
  return value;
}

function scalar(x: number, dtype: DType = "float32"): Value {
  return constant(new Tensor(dtype, [], packNumbers(dtype, [x])));
}

/** Both operands as values; a number takes the other's dtype. */
function pair(op: string, a: Operand, b: Operand): [Value, Value] {
  if (typeof a === "number" && typeof b === "number")
    throw new ShapeError(`${op}: at least one operand must be a value`);
  return [
    typeof a === "number" ? scalar(a, (b as Value).dtype) : a,
    typeof b === "number" ? scalar(b, (a as Value).dtype) : b,
  ];
}

const unary =
  (op: string) =>
  (x: Value): Value =>
    apply(op, [x]);
const binary =
  (op: string) =>
  (a: Operand, b: Operand): Value =>
    apply(op, pair(op, a, b));

const reduction =
  (op: string) =>
  (x: Value, axes?: readonly number[], keepDims = false): Value => {
    const all = axes?.map((axis) => asAxis(op, axis, x.shape.length)) ?? x.shape.map((_, axis) => axis);
    return all.length === 0 ? x : apply(op, [x], { axes: all, keepdims: keepDims ? 1 : 0 });
  };

const int64 = (x: Value): Value => (x.dtype === "int64" ? x : apply("Cast", [x], { to: "int64" }));

/** The graph language: see {@link Build}. */
export const build: Build = Object.freeze<Build>({
  apply,
  named: (label, x) => Object.freeze({ ...x, label }),
  scalar,

  add: binary("Add"),
  sub: binary("Sub"),
  mul: binary("Mul"),
  div: binary("Div"),
  pow: binary("Pow"),
  neg: unary("Neg"),
  abs: unary("Abs"),
  exp: unary("Exp"),
  log: unary("Log"),
  sqrt: unary("Sqrt"),
  reciprocal: unary("Reciprocal"),
  tanh: unary("Tanh"),
  sigmoid: unary("Sigmoid"),
  erf: unary("Erf"),
  relu: unary("Relu"),
  softplus: unary("Softplus"),
  gelu: (x, approximate = "none") => apply("Gelu", [x], { approximate }),
  sign: (x) => composed.sign(build, x),
  floor: unary("Floor"),
  ceil: unary("Ceil"),
  round: unary("Round"),
  sin: unary("Sin"),
  cos: unary("Cos"),
  cast: (x, dtype) => (x.dtype === dtype ? x : apply("Cast", [x], { to: dtype })),

  minimum: binary("Min"),
  maximum: binary("Max"),
  clip: (x, low, high) => composed.clip(build, x, low, high),

  equal: binary("Equal"),
  less: binary("Less"),
  greater: binary("Greater"),
  lessOrEqual: binary("LessOrEqual"),
  greaterOrEqual: binary("GreaterOrEqual"),
  and: (a, b) => apply("And", [a, b]),
  or: (a, b) => apply("Or", [a, b]),
  not: unary("Not"),
  where: (condition, a, b) => apply("Where", [condition, ...pair("Where", a, b)]),

  reduceSum: reduction("ReduceSum"),
  reduceMean: reduction("ReduceMean"),
  reduceMax: reduction("ReduceMax"),
  reduceMin: (x, axes, keepDims) => build.neg(build.reduceMax(build.neg(x), axes, keepDims)),
  reduceProd: reduction("ReduceProd"),
  logSumExp: (x, axes, keepDims) => composed.logSumExp(build, x, axes, keepDims),
  cumSum: (x, axis, { exclusive = false, reverse = false } = {}) =>
    apply("CumSum", [x], {
      axis: asAxis("CumSum", axis, x.shape.length),
      exclusive: exclusive ? 1 : 0,
      reverse: reverse ? 1 : 0,
    }),
  argMax: (x, axis, keepDims = false) =>
    apply("ArgMax", [x], { axis: asAxis("ArgMax", axis, x.shape.length), keepdims: keepDims ? 1 : 0 }),
  topK: (x, k, axis, { largest = true } = {}) => {
    const along = asAxis("TopK", axis, x.shape.length);
    const indices = apply("TopK", [x], { k: [k], axis: along, largest: largest ? 1 : 0 });
    return { values: build.gatherElements(x, indices, along), indices };
  },

  reshape: (x, shape) => apply("Reshape", [x], { shape }),
  expand: (x, shape) => apply("Expand", [x], { shape }),
  transpose: (x, perm) => apply("Transpose", [x], { perm }),
  unsqueeze: (x, axes) =>
    apply("Unsqueeze", [x], { axes: axes.map((axis) => asAxis("Unsqueeze", axis, x.shape.length + axes.length)) }),
  squeeze: (x, axes) => apply("Squeeze", [x], { axes: axes.map((axis) => asAxis("Squeeze", axis, x.shape.length)) }),
  concat: (parts, axis) => apply("Concat", parts, { axis: asAxis("Concat", axis, parts[0]?.shape.length ?? 0) }),
  slice: (x, axis, start, end, step = 1) => {
    const along = asAxis("Slice", axis, x.shape.length);
    const length = x.shape[along];
    const front = (at: number): number => (at < 0 && typeof length === "number" ? at + length : at);
    const range = { starts: [front(start)], ends: [front(end)], axes: [along] };
    return apply("Slice", [x], step === 1 ? range : { ...range, steps: [step] });
  },
  pad: (x, widths, fill = 0) => composed.pad(build, x, widths, fill),
  tile: (x, times) => composed.tile(build, x, times),
  triangle: (x, { upper = false, diagonal = 0 } = {}) => apply("Trilu", [x], { k: diagonal, upper: upper ? 1 : 0 }),

  matMul: (a, b) => apply("MatMul", [a, b]),
  einsum: (expression, ...operands) => einsum(build, expression, operands),
  conv: (x, w, options = {}) => composed.conv(build, x, w, options),
  maxPool: (x, window, options = {}) => composed.maxPool(build, x, window, options),
  averagePool: (x, window, options = {}) => composed.averagePool(build, x, window, options),
  softmax: (x, axis) => apply("Softmax", [x], { axis: asAxis("Softmax", axis, x.shape.length) }),
  logSoftmax: (x, axis) => build.sub(x, build.logSumExp(x, [axis], true)),
  layerNormalization: (x, scale, bias, epsilon) => apply("LayerNormalization", [x, scale, bias], { axis: -1, epsilon }),

  gather: (x, indices, axis) => apply("Gather", [x, indices], { axis: asAxis("Gather", axis, x.shape.length) }),
  oneHot: (ids, depth, dtype = "float32") => composed.oneHot(build, ids, depth, dtype),
  gatherElements: (x, indices, axis) =>
    apply("GatherElements", [x, int64(indices)], { axis: asAxis("GatherElements", axis, x.shape.length) }),
  scatterElements: (x, indices, updates, axis, kind) =>
    apply("ScatterElements", [x, int64(indices), updates], {
      axis: asAxis("ScatterElements", axis, x.shape.length),
      reduction: kind,
    }),
  gatherND: (x, indices) => apply("GatherND", [x, int64(indices)]),
  scatterND: (x, indices, updates, kind) => {
    // Made for its checks where rows are added.
    const plain = apply("ScatterND", [x, int64(indices), updates], { reduction: kind });
    return kind === "none" ? plain : addedRows(build, x, int64(indices), updates);
  },
});
