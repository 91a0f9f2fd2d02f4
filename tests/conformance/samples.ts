import type { DType } from "../../kernel/lib/tensor/index.js";
import type { Attributes } from "../../kernel/lib/graph/index.js";

/** One operand of a sample: random numbers from a range, or given ones. */
export interface Operand {
  readonly shape: readonly number[];
  readonly dtype: DType;
  readonly range: readonly [number, number];
  readonly values?: readonly number[];
}

export interface Sample {
  readonly operands: readonly Operand[];
  readonly attributes?: Attributes;
}

type Shape = readonly number[];

const real = (shape: Shape, range: readonly [number, number] = [-2, 2]): Operand => ({
  shape,
  dtype: "float32",
  range,
});
const whole = (shape: Shape, dtype: DType = "int32"): Operand => ({ shape, dtype, range: [0, 2.99] });
const given = (shape: Shape, dtype: DType, values: readonly number[]): Operand => ({
  shape,
  dtype,
  range: [0, 0],
  values,
});
const positive = [0.5, 2.5] as const;

const shapes: readonly Shape[] = [[], [1], [63], [2, 3, 5]];
const pairs: readonly (readonly [Shape, Shape])[] = [
  [[3], [3]],
  [[], [5]],
  [
    [3, 1],
    [1, 5],
  ],
  [[2, 3, 5], [5]],
  [[63], [2, 1, 63]],
  [
    [1, 1],
    [2, 3],
  ],
];

const unary = (range?: readonly [number, number]): Sample[] =>
  shapes.map((shape) => ({ operands: [real(shape, range)] }));
const binary = (a?: readonly [number, number], b = a): Sample[] =>
  pairs.map(([left, right]) => ({ operands: [real(left, a), real(right, b)] }));
const compared = (): Sample[] => [
  ...binary(),
  ...pairs.map(([a, b]) => ({ operands: [whole(a), whole(b)] })),
  { operands: [whole([3, 5], "int64"), whole([5], "int64")] },
];
const logic = (): Sample[] => pairs.map(([a, b]) => ({ operands: [whole(a, "bool"), whole(b, "bool")] }));

const reductions = (): Sample[] =>
  [0, 1].flatMap((keepdims) =>
    [
      { shape: [63], axes: [0] },
      { shape: [1], axes: [0] },
      { shape: [2, 3, 5], axes: [1] },
      { shape: [2, 3, 5], axes: [0, 2] },
      { shape: [2, 3, 5], axes: [0, 1, 2] },
    ].map(({ shape, axes }) => ({ operands: [real(shape)], attributes: { axes, keepdims } })),
  );

/** What each operator is tried on; a new operator needs an entry here. */
export const samples: Readonly<Record<string, readonly Sample[]>> = {
  Add: binary(),
  Sub: binary(),
  Mul: binary(),
  Div: binary([-2, 2], positive),
  Pow: binary(positive, [-2, 2]),
  Neg: unary(),
  Abs: unary(),
  Exp: unary(),
  Log: unary(positive),
  Sqrt: unary(positive),
  Reciprocal: unary(positive),
  Tanh: unary(),
  Sigmoid: unary([-6, 6]),
  Erf: unary([-3, 3]),
  Relu: unary(),
  Sin: unary([-6, 6]),
  Cos: unary([-6, 6]),
  Cast: [
    { operands: [real([2, 3])], attributes: { to: "int32" } },
    { operands: [real([2, 3])], attributes: { to: "float64" } },
    { operands: [whole([5])], attributes: { to: "float32" } },
    { operands: [whole([5])], attributes: { to: "bool" } },
    { operands: [whole([5], "bool")], attributes: { to: "float32" } },
    { operands: [whole([5])], attributes: { to: "int64" } },
  ],
  Equal: compared(),
  Less: compared(),
  Greater: compared(),
  And: logic(),
  Or: logic(),
  Not: shapes.map((shape) => ({ operands: [whole(shape, "bool")] })),
  Where: [
    { operands: [whole([3], "bool"), real([3]), real([3])] },
    { operands: [whole([2, 1, 1], "bool"), real([3, 1]), real([5])] },
    { operands: [whole([5], "bool"), real([]), real([2, 5])] },
  ],
  ReduceSum: reductions(),
  ReduceMean: reductions(),
  ReduceMax: reductions(),
  Identity: unary(),
  Reshape: [
    { operands: [real([2, 3, 5])], attributes: { shape: [5, 6] } },
    { operands: [real([63])], attributes: { shape: [1, 63, 1] } },
    { operands: [real([1])], attributes: { shape: [] } },
  ],
  Expand: [
    { operands: [real([3, 1])], attributes: { shape: [2, 3, 5] } },
    { operands: [real([])], attributes: { shape: [63] } },
    { operands: [real([2, 3])], attributes: { shape: [1, 1] } },
  ],
  Transpose: [
    { operands: [real([2, 3, 5])], attributes: { perm: [2, 0, 1] } },
    { operands: [real([63, 2])], attributes: { perm: [1, 0] } },
    { operands: [real([1, 2, 3, 5])], attributes: { perm: [0, 2, 1, 3] } },
  ],
  Unsqueeze: [
    { operands: [real([2, 3])], attributes: { axes: [1] } },
    { operands: [real([5])], attributes: { axes: [0, 2] } },
    { operands: [real([])], attributes: { axes: [0] } },
  ],
  Squeeze: [
    { operands: [real([2, 1, 3])], attributes: { axes: [1] } },
    { operands: [real([1, 63, 1])], attributes: { axes: [0, 2] } },
  ],
  Concat: [
    { operands: [real([2, 3]), real([1, 3])], attributes: { axis: 0 } },
    { operands: [real([2, 3, 5]), real([2, 1, 5]), real([2, 2, 5])], attributes: { axis: 1 } },
    { operands: [real([63])], attributes: { axis: 0 } },
  ],
  Slice: [
    { operands: [real([63])], attributes: { starts: [5], ends: [8], axes: [0] } },
    { operands: [real([2, 3, 5])], attributes: { starts: [0], ends: [2], axes: [1] } },
    { operands: [real([2, 3, 5])], attributes: { starts: [1], ends: [5], axes: [2] } },
  ],
  MatMul: [
    { operands: [real([1, 1]), real([1, 1])] },
    { operands: [real([2, 3]), real([3, 5])] },
    { operands: [real([3, 63]), real([63, 2])] },
    { operands: [real([2, 3, 5]), real([5, 2])] },
    { operands: [real([3, 5]), real([2, 5, 1])] },
    { operands: [real([2, 1, 3, 5]), real([3, 5, 2])] },
  ],
  Softmax: [
    { operands: [real([63], [-6, 6])], attributes: { axis: 0 } },
    { operands: [real([2, 3, 5], [-6, 6])], attributes: { axis: 2 } },
    { operands: [real([2, 3, 5], [-6, 6])], attributes: { axis: 1 } },
    { operands: [real([5, 1])], attributes: { axis: 1 } },
  ],
  LayerNormalization: [
    { operands: [real([3, 5]), real([5]), real([5])], attributes: { axis: -1, epsilon: 1e-3 } },
    { operands: [real([2, 3, 63]), real([63]), real([63])], attributes: { axis: -1, epsilon: 1e-5 } },
    { operands: [real([2]), real([2]), real([2])], attributes: { axis: -1, epsilon: 1e-2 } },
  ],
  Gather: [
    { operands: [real([5, 3]), given([2, 2], "int32", [4, 0, 4, 1])], attributes: { axis: 0 } },
    { operands: [real([2, 5, 3]), given([3], "int64", [1, 1, -1])], attributes: { axis: 1 } },
    { operands: [real([2, 5]), given([], "int32", [2])], attributes: { axis: 1 } },
    { operands: [real([63]), given([1], "int32", [62])], attributes: { axis: 0 } },
  ],
  GatherND: [
    { operands: [real([5, 3]), given([2, 2], "int64", [4, 0, 1, 2])] },
    { operands: [real([5, 3, 2]), given([3, 1], "int64", [4, 0, 4])] },
  ],
  ScatterND: [
    { operands: [real([5, 3]), given([3, 1], "int64", [4, 0, 4]), real([3, 3])], attributes: { reduction: "add" } },
    { operands: [real([5, 3]), given([2, 2], "int64", [4, 0, 1, 2]), real([2])], attributes: { reduction: "none" } },
    { operands: [real([63]), given([2, 1], "int64", [62, 0]), real([2])], attributes: { reduction: "none" } },
  ],
};
