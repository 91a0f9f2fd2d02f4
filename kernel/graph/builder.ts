import type { DType } from "../tensor/index.js";
import type { SymbolicShape } from "./dims.js";
import type { Attributes, Value } from "./value.js";

/** An operand: a value, or a number that takes the dtype of the other operand. */
export type Operand = Value | number;

export interface CumSumOptions {
  /** Each sum leaves its own element out; default false. */
  readonly exclusive?: boolean;
  /** From the end; default false. */
  readonly reverse?: boolean;
}

export interface TopKOptions {
  /** Default true; false gives the smallest, in rising order. */
  readonly largest?: boolean;
}

export interface TopK {
  readonly values: Value;
  /** int64 */
  readonly indices: Value;
}

export interface TriangleOptions {
  /** Default false: the lower one. */
  readonly upper?: boolean;
  /** Default 0, the main diagonal. */
  readonly diagonal?: number;
}

export interface PoolOptions {
  /** Default: the window itself, so that windows do not overlap. */
  readonly strides?: readonly number[];
  /** Widths before and after each axis; default none. */
  readonly pads?: readonly (readonly [number, number])[];
}

export interface ConvOptions {
  /** Default 1. */
  readonly strides?: readonly number[];
  /** Widths of zeros before and after each axis; default none. */
  readonly pads?: readonly (readonly [number, number])[];
  /** Default 1. */
  readonly dilations?: readonly number[];
  /** Channels are convolved in so many separate groups; default 1. */
  readonly groups?: number;
}

/**
 * The vocabulary in which graphs are written: one function per operator, plus compositions.
 * Shapes are inferred at the call, so an error in shapes is thrown at the line that made it.
 */
export interface Build {
  /** Any operator of the registry by its ONNX name. */
  readonly apply: (op: string, inputs: readonly Value[], attributes?: Attributes) => Value;
  /** A copy that carries a name: an address, or what the value is called in messages. */
  readonly named: (label: string, x: Value) => Value;
  readonly scalar: (x: number, dtype?: DType) => Value;

  readonly add: (a: Operand, b: Operand) => Value;
  readonly sub: (a: Operand, b: Operand) => Value;
  readonly mul: (a: Operand, b: Operand) => Value;
  readonly div: (a: Operand, b: Operand) => Value;
  readonly pow: (a: Operand, b: Operand) => Value;
  readonly neg: (x: Value) => Value;
  readonly abs: (x: Value) => Value;
  readonly exp: (x: Value) => Value;
  readonly log: (x: Value) => Value;
  readonly sqrt: (x: Value) => Value;
  readonly reciprocal: (x: Value) => Value;
  readonly tanh: (x: Value) => Value;
  readonly sigmoid: (x: Value) => Value;
  readonly erf: (x: Value) => Value;
  readonly relu: (x: Value) => Value;
  /** log(1 + eˣ), without overflow. */
  readonly softplus: (x: Value) => Value;
  /** x·Φ(x), with Φ by the error function or approximated by tanh: arXiv:1606.08415 §2. */
  readonly gelu: (x: Value, approximate?: "none" | "tanh") => Value;
  /** −1, 0 or 1. */
  readonly sign: (x: Value) => Value;
  readonly floor: (x: Value) => Value;
  readonly ceil: (x: Value) => Value;
  /** To the nearest whole number, ties to even. */
  readonly round: (x: Value) => Value;
  readonly sin: (x: Value) => Value;
  readonly cos: (x: Value) => Value;
  readonly cast: (x: Value, dtype: DType) => Value;

  readonly minimum: (a: Operand, b: Operand) => Value;
  readonly maximum: (a: Operand, b: Operand) => Value;
  /** Range    low … high */
  readonly clip: (x: Value, low: number, high: number) => Value;

  readonly equal: (a: Operand, b: Operand) => Value;
  readonly less: (a: Operand, b: Operand) => Value;
  readonly greater: (a: Operand, b: Operand) => Value;
  readonly lessOrEqual: (a: Operand, b: Operand) => Value;
  readonly greaterOrEqual: (a: Operand, b: Operand) => Value;
  readonly and: (a: Value, b: Value) => Value;
  readonly or: (a: Value, b: Value) => Value;
  readonly not: (x: Value) => Value;
  readonly where: (condition: Value, a: Operand, b: Operand) => Value;

  /** Sums over the axes (all when left out). */
  readonly reduceSum: (x: Value, axes?: readonly number[], keepDims?: boolean) => Value;
  readonly reduceMean: (x: Value, axes?: readonly number[], keepDims?: boolean) => Value;
  readonly reduceMax: (x: Value, axes?: readonly number[], keepDims?: boolean) => Value;
  readonly reduceMin: (x: Value, axes?: readonly number[], keepDims?: boolean) => Value;
  readonly reduceProd: (x: Value, axes?: readonly number[], keepDims?: boolean) => Value;
  /** log Σ eˣ, without overflow; −∞ where every element is. */
  readonly logSumExp: (x: Value, axes?: readonly number[], keepDims?: boolean) => Value;
  /** Running sums along an axis. */
  readonly cumSum: (x: Value, axis: number, options?: CumSumOptions) => Value;
  /** Position of the largest element along an axis, int64; of equal ones the first. */
  readonly argMax: (x: Value, axis: number, keepDims?: boolean) => Value;
  /** The `k` largest elements along an axis in falling order, and where they stand; of equal ones the first. */
  readonly topK: (x: Value, k: number, axis: number, options?: TopKOptions) => TopK;

  readonly reshape: (x: Value, shape: SymbolicShape) => Value;
  readonly expand: (x: Value, shape: SymbolicShape) => Value;
  readonly transpose: (x: Value, permutation: readonly number[]) => Value;
  readonly unsqueeze: (x: Value, axes: readonly number[]) => Value;
  readonly squeeze: (x: Value, axes: readonly number[]) => Value;
  readonly concat: (parts: readonly Value[], axis: number) => Value;
  /** Every `step`-th of the elements start … end−1 of one axis; negative bounds count from the end. */
  readonly slice: (x: Value, axis: number, start: number, end: number, step?: number) => Value;
  /** Zeros, or another number, before and after each axis: one pair of widths per axis. */
  readonly pad: (x: Value, widths: readonly (readonly [number, number])[], fill?: number) => Value;
  /** The whole repeated along each axis. */
  readonly tile: (x: Value, times: readonly number[]) => Value;
  /** The lower (or upper) triangle of the last two axes, zeros elsewhere; `diagonal` moves the edge to the right. */
  readonly triangle: (x: Value, options?: TriangleOptions) => Value;

  /** Shapes   a […,M,K] · b […,K,N] → […,M,N], leading axes broadcast */
  readonly matMul: (a: Value, b: Value) => Value;
  /**
   * Products summed over every axis that the output leaves out; a letter that repeats within an operand takes its
   * diagonal.
   *
   * Example  build.einsum("bhqd,bhkd->bhqk", q, k)
   */
  readonly einsum: (expression: string, ...operands: readonly Value[]) => Value;
  /**
   * Shapes   x [N,C,…] · w [M,C/groups,…] → [N,M,…]
   * Throws   ShapeError where the kernel is larger than the padded operand
   */
  readonly conv: (x: Value, w: Value, options?: ConvOptions) => Value;
  /** Largest element of each window. Shapes   x [N,C,…] → [N,C,…] */
  readonly maxPool: (x: Value, window: readonly number[], options?: PoolOptions) => Value;
  /** Mean of each window, whose padding counts as zeros. Shapes   x [N,C,…] → [N,C,…] */
  readonly averagePool: (x: Value, window: readonly number[], options?: PoolOptions) => Value;
  readonly softmax: (x: Value, axis: number) => Value;
  /** x − log Σ eˣ */
  readonly logSoftmax: (x: Value, axis: number) => Value;
  /** Over the last axis, with learned scale and bias. */
  readonly layerNormalization: (x: Value, scale: Value, bias: Value, epsilon: number) => Value;

  /** Rows of `x` along `axis`, chosen by integer indices of any shape. */
  readonly gather: (x: Value, indices: Value, axis: number) => Value;
  /** 1 where the last, new axis is at the index, 0 elsewhere. Shapes   ids […] → […,depth] */
  readonly oneHot: (ids: Value, depth: number, dtype?: DType) => Value;
  /** Elements of `x` along `axis`, chosen one by one: `x` and `indices` have the same rank. */
  readonly gatherElements: (x: Value, indices: Value, axis: number) => Value;
  /** `x` with `updates` added at (or, with `"none"`, written to) the positions that `gatherElements` would read. */
  readonly scatterElements: (
    x: Value,
    indices: Value,
    updates: Value,
    axis: number,
    reduction: "add" | "none",
  ) => Value;
  readonly gatherND: (x: Value, indices: Value) => Value;
  /** `x` with `updates` added at (or, with `"none"`, written to) the indexed positions. */
  readonly scatterND: (x: Value, indices: Value, updates: Value, reduction: "add" | "none") => Value;
}
