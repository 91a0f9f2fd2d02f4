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
  /** The second derivative does not exist, or the rule does not promise it. */
  readonly isSingular?: boolean;
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

/** A convolution over `axes` axes. */
const window = (axes: number, rest: Attributes = {}): Attributes => ({
  strides: new Array<number>(axes).fill(1),
  pads: new Array<number>(2 * axes).fill(0),
  dilations: new Array<number>(axes).fill(1),
  group: 1,
  ...rest,
});

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
  Softplus: unary([-9, 9]),
  Gelu: ["none", "tanh"].flatMap((approximate) =>
    unary([-6, 6]).map((sample) => ({ ...sample, attributes: { approximate } })),
  ),
  Floor: unary(),
  Ceil: unary(),
  Round: unary([-6, 6]),
  Min: [...binary(), { operands: [whole([3, 1]), whole([5])] }],
  Max: [...binary(), { operands: [whole([3, 1]), whole([5])] }],
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
  LessOrEqual: compared(),
  GreaterOrEqual: compared(),
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
  ReduceProd: [
    ...reductions(),
    // One zero, and two, among the factors.
    {
      operands: [given([2, 3], "float32", [0, 2, 3, 4, 0, 0])],
      attributes: { axes: [1], keepdims: 0 },
      isSingular: true,
    },
  ],
  CumSum: [0, 1].flatMap((exclusive) =>
    [0, 1].flatMap((reverse) =>
      [
        { shape: [63], axis: 0 },
        { shape: [2, 3, 5], axis: 1 },
        { shape: [5, 1], axis: 1 },
      ].map(({ shape, axis }) => ({ operands: [real(shape)], attributes: { axis, exclusive, reverse } })),
    ),
  ),
  ArgMax: [
    { operands: [real([63])], attributes: { axis: 0, keepdims: 0 } },
    { operands: [real([2, 3, 5])], attributes: { axis: 1, keepdims: 1 } },
    { operands: [given([5], "float32", [1, 3, 0, 3, 2])], attributes: { axis: 0, keepdims: 0 } },
  ],
  TopK: [
    { operands: [real([63])], attributes: { k: [5], axis: 0, largest: 1 } },
    { operands: [real([2, 5, 3])], attributes: { k: [2], axis: 1, largest: 0 } },
    { operands: [real([3, 1])], attributes: { k: [1], axis: 1, largest: 1 } },
    { operands: [given([5], "float32", [1, 3, 0, 3, 2])], attributes: { k: [3], axis: 0, largest: 1 } },
  ],
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
    { operands: [real([63])], attributes: { starts: [1], ends: [62], axes: [0], steps: [5] } },
    { operands: [real([2, 3, 5])], attributes: { starts: [0], ends: [5], axes: [2], steps: [2] } },
    { operands: [real([3, 5])], attributes: { starts: [2], ends: [5], axes: [1], steps: [3] } },
  ],
  Pad: [
    { operands: [real([63, 5])], attributes: { pads: [0, 1, 0, 2] } },
    { operands: [real([2, 3, 5])], attributes: { pads: [0, 1, 0, 0, 0, 3] } },
    { operands: [whole([1])], attributes: { pads: [0, 2] } },
  ],
  Trilu: [
    { operands: [real([5, 5])], attributes: { k: 0, upper: 0 } },
    { operands: [real([2, 3, 63])], attributes: { k: 1, upper: 1 } },
    { operands: [real([63, 2])], attributes: { k: -2, upper: 0 } },
  ],
  MatMul: [
    { operands: [real([1, 1]), real([1, 1])] },
    { operands: [real([2, 3]), real([3, 5])] },
    { operands: [real([3, 63]), real([63, 2])] },
    { operands: [real([2, 3, 5]), real([5, 2])] },
    { operands: [real([3, 5]), real([2, 5, 1])] },
    { operands: [real([2, 1, 3, 5]), real([3, 5, 2])] },
  ],
  Conv: [
    { operands: [real([63, 3, 5]), real([5, 3, 3])], attributes: window(1) },
    { operands: [real([1, 2, 5]), real([1, 2, 1])], attributes: window(1, { strides: [2] }) },
    { operands: [real([2, 2, 6, 5]), real([3, 2, 3, 2])], attributes: window(2, { pads: [1, 0, 2, 1] }) },
    {
      operands: [real([2, 4, 7, 5]), real([6, 2, 2, 3])],
      attributes: window(2, { strides: [3, 2], pads: [0, 1, 1, 1], dilations: [2, 1], group: 2 }),
    },
    { operands: [real([1, 3, 5]), real([3, 1, 2])], attributes: window(1, { dilations: [3], group: 3 }) },
  ],
  ConvTranspose: [
    { operands: [real([63, 3, 5]), real([3, 2, 3])], attributes: window(1, { output_padding: [0] }) },
    {
      operands: [real([2, 4, 3, 2]), real([4, 3, 2, 3])],
      attributes: window(2, {
        strides: [3, 2],
        pads: [0, 1, 1, 1],
        dilations: [2, 1],
        group: 2,
        output_padding: [1, 0],
      }),
    },
    { operands: [real([1, 1, 5]), real([1, 1, 1])], attributes: window(1, { strides: [2], output_padding: [1] }) },
  ],
  Softmax: [
    { operands: [real([63], [-6, 6])], attributes: { axis: 0 } },
    { operands: [real([2, 3, 5], [-6, 6])], attributes: { axis: 2 } },
    { operands: [real([2, 3, 5], [-6, 6])], attributes: { axis: 1 } },
    { operands: [real([5, 1])], attributes: { axis: 1 } },
  ],
  LogSoftmax: [
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
  GatherElements: [
    { operands: [real([5, 3]), given([2, 3], "int64", [4, 0, 1, 4, -1, 0])], attributes: { axis: 0 } },
    { operands: [real([2, 5]), given([2, 3], "int64", [4, 0, 1, 2, 2, 2])], attributes: { axis: 1 } },
    { operands: [real([63]), given([1], "int64", [62])], attributes: { axis: 0 } },
  ],
  ScatterElements: [
    {
      operands: [real([5, 3]), given([2, 3], "int64", [4, 0, 1, 4, -1, 0]), real([2, 3])],
      attributes: { axis: 0, reduction: "add" },
    },
    {
      operands: [real([2, 5]), given([2, 2], "int64", [4, 0, 2, 1]), real([2, 2])],
      attributes: { axis: 1, reduction: "none" },
    },
    { operands: [real([63]), given([1], "int64", [62]), real([1])], attributes: { axis: 0, reduction: "none" } },
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
