import type { Dim } from "../dims.js";
import { productOf, quotientOf } from "../dims.js";
import { numberOf, numbersOf } from "../op.js";
import type { Value } from "../value.js";

/** For each operand the axis along which it is cut, or undefined where it is read whole. */
export type Cuts = readonly (number | undefined)[];

/** The axis of an operand that stretches to an axis of the result; undefined where it has none, or only 1. */
function stretched({ shape }: Value, axis: number, rank: number): number | undefined {
  const own = axis - rank + shape.length;
  return own < 0 || shape[own] === 1 ? undefined : own;
}

const elementwise = (value: Value, axis: number): Cuts =>
  value.inputs.map((x) => stretched(x, axis, value.shape.length));

/** Operators that compute along one axis, and leave the others alone. */
const along =
  (attribute: "axis" | "axes") =>
  (value: Value, axis: number): Cuts | undefined => {
    const rank = value.inputs[0].shape.length;
    const own = attribute === "axis" ? [numberOf(value.attributes, "axis")] : numbersOf(value.attributes, "axes");
    return own.some((at) => (at + rank) % rank === axis) ? undefined : value.inputs.map(() => axis);
  };

/** Where the axes of a result lie in the operand of a reduction. */
function keptAxis({ attributes, inputs: [x] }: Value, axis: number): number | undefined {
  const axes = numbersOf(attributes, "axes");
  if (numberOf(attributes, "keepdims") === 1) return axes.includes(axis) ? undefined : axis;
  return x.shape.map((_, at) => at).filter((at) => !axes.includes(at))[axis];
}

const reduction = (value: Value, axis: number): Cuts | undefined => {
  const at = keptAxis(value, axis);
  return at === undefined ? undefined : [at];
};

/** Whether two axes hold the same rows, one perhaps several of them side by side: `"query"` and `"4*query"`. */
const isSameRow = (a: readonly Dim[], i: number, b: readonly Dim[], j: number): boolean =>
  typeof a[i] === "string" &&
  (quotientOf(a[i], b[j]) ?? quotientOf(b[j], a[i])) !== undefined &&
  productOf(a.slice(i + 1)) === productOf(b.slice(j + 1));

const rules: Readonly<Record<string, (value: Value, axis: number) => Cuts | undefined>> = {
  MatMul: (value, axis) => {
    const [a, b] = value.inputs;
    const rank = value.shape.length;
    if (axis === rank - 2) return [a.shape.length - 2, undefined];
    if (axis === rank - 1) return [undefined, b.shape.length - 1];
    return elementwise(value, axis);
  },
  Softmax: along("axis"),
  LogSoftmax: along("axis"),
  CumSum: along("axis"),
  TopK: along("axis"),
  GatherElements: along("axis"),
  Concat: along("axis"),
  Slice: along("axes"),
  LayerNormalization: ({ inputs }, axis) =>
    axis === inputs[0].shape.length - 1 ? undefined : inputs.map((_, i) => (i === 0 ? axis : undefined)),
  ReduceSum: reduction,
  ReduceMean: reduction,
  ReduceMax: reduction,
  ReduceProd: reduction,
  ArgMax: ({ attributes, inputs: [x] }, axis) => {
    const reduced = (numberOf(attributes, "axis") + x.shape.length) % x.shape.length;
    const isKept = numberOf(attributes, "keepdims") === 1;
    if (isKept && axis === reduced) return undefined;
    return [!isKept && axis >= reduced ? axis + 1 : axis];
  },
  Transpose: ({ attributes }, axis) => [numbersOf(attributes, "perm")[axis]],
  Unsqueeze: ({ attributes, shape }, axis) => {
    const added = numbersOf(attributes, "axes");
    const kept = shape.map((_, at) => at).filter((at) => !added.includes(at));
    return added.includes(axis) ? undefined : [kept.indexOf(axis)];
  },
  Squeeze: ({ attributes, inputs: [x] }, axis) => {
    const dropped = numbersOf(attributes, "axes");
    return [x.shape.map((_, at) => at).filter((at) => !dropped.includes(at))[axis]];
  },
  Reshape: ({ shape, inputs: [x] }, axis) => {
    const own = x.shape.findIndex((_, at) => isSameRow(x.shape, at, shape, axis));
    return own < 0 ? undefined : [own];
  },
  Expand: elementwise,
  Gather: (value, axis) => {
    const [x, indices] = value.inputs;
    const at = (numberOf(value.attributes, "axis") + x.shape.length) % x.shape.length;
    if (axis < at) return [axis, undefined];
    if (axis < at + indices.shape.length) return [undefined, axis - at];
    return [axis - indices.shape.length + 1, undefined];
  },
};

export const elementwiseOps: ReadonlySet<string> = new Set([
  ...["Add", "Sub", "Mul", "Div", "Pow", "Min", "Max", "Equal", "Less", "Greater", "LessOrEqual", "GreaterOrEqual"],
  ...["And", "Or", "Not", "Where", "Neg", "Abs", "Exp", "Log", "Sqrt", "Reciprocal", "Tanh", "Sigmoid", "Erf", "Relu"],
  ...["Softplus", "Floor", "Ceil", "Round", "Sin", "Cos", "Gelu", "Cast", "Identity"],
]);

/** Operators whose rows along some axis come from rows of their operands. */
export const rowwiseOps: ReadonlySet<string> = new Set([...elementwiseOps, ...Object.keys(rules)]);

/**
 * What rows of a value along one axis are computed from: rows of some operands, and others whole; undefined where the
 * operator mixes rows along that axis, or is not known to keep them apart.
 */
export function cutsOf(value: Value, axis: number): Cuts | undefined {
  if (value.loop || value.file) return undefined;
  if (elementwiseOps.has(value.op)) return elementwise(value, axis);
  const cuts = rules[value.op]?.(value, axis);
  // Some operand must be cut, or none has the axis: otherwise the rows of the result do not come from rows.
  return value.op === "Expand" || cuts?.some((at) => at !== undefined) ? cuts : undefined;
}

/** How rows are folded into one: what a block adds to those before it. */
export interface Fold {
  readonly kind: "sum" | "max";
  readonly cuts: Cuts;
}

/** How a value folds the rows of its operand `index` along `axis`; undefined where it does not. */
export function foldOf({ op, attributes, inputs }: Value, index: number, axis: number): Fold | undefined {
  if ((op === "ReduceSum" || op === "ReduceMax") && numbersOf(attributes, "axes").includes(axis)) {
    return { kind: op === "ReduceSum" ? "sum" : "max", cuts: [axis] };
  }
  if (op !== "MatMul") return undefined;
  const cuts = [inputs[0].shape.length - 1, inputs[1].shape.length - 2];
  return cuts[index] === axis ? { kind: "sum", cuts } : undefined;
}
