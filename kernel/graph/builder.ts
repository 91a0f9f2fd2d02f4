import type { DType } from "../tensor/index.js";
import type { SymbolicShape } from "./dims.js";
import type { Attributes, Value } from "./value.js";

/** An operand: a value, or a number that takes the dtype of the other operand. */
export type Operand = Value | number;

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
  readonly sin: (x: Value) => Value;
  readonly cos: (x: Value) => Value;
  readonly cast: (x: Value, dtype: DType) => Value;

  readonly equal: (a: Operand, b: Operand) => Value;
  readonly less: (a: Operand, b: Operand) => Value;
  readonly greater: (a: Operand, b: Operand) => Value;
  readonly and: (a: Value, b: Value) => Value;
  readonly or: (a: Value, b: Value) => Value;
  readonly not: (x: Value) => Value;
  readonly where: (condition: Value, a: Operand, b: Operand) => Value;

  /** Sums over the axes (all when left out). */
  readonly reduceSum: (x: Value, axes?: readonly number[], keepDims?: boolean) => Value;
  readonly reduceMean: (x: Value, axes?: readonly number[], keepDims?: boolean) => Value;
  readonly reduceMax: (x: Value, axes?: readonly number[], keepDims?: boolean) => Value;

  readonly reshape: (x: Value, shape: SymbolicShape) => Value;
  readonly expand: (x: Value, shape: SymbolicShape) => Value;
  readonly transpose: (x: Value, permutation: readonly number[]) => Value;
  readonly unsqueeze: (x: Value, axes: readonly number[]) => Value;
  readonly squeeze: (x: Value, axes: readonly number[]) => Value;
  readonly concat: (parts: readonly Value[], axis: number) => Value;
  /** Elements start … end−1 of one axis, both counted from the front. */
  readonly slice: (x: Value, axis: number, start: number, end: number) => Value;

  /** Shapes   a […,M,K] · b […,K,N] → […,M,N], leading axes broadcast */
  readonly matMul: (a: Value, b: Value) => Value;
  /**
   * Products summed over every axis that the output leaves out.
   *
   * Throws   UnsupportedError on a letter that repeats within an operand
   * Example  build.einsum("bhqd,bhkd->bhqk", q, k)
   */
  readonly einsum: (expression: string, ...operands: readonly Value[]) => Value;
  readonly softmax: (x: Value, axis: number) => Value;
  /** Over the last axis, with learned scale and bias. */
  readonly layerNormalization: (x: Value, scale: Value, bias: Value, epsilon: number) => Value;

  /** Rows of `x` along `axis`, chosen by integer indices of any shape. */
  readonly gather: (x: Value, indices: Value, axis: number) => Value;
  readonly gatherND: (x: Value, indices: Value) => Value;
  /** `x` with `updates` added at (or, with `"none"`, written to) the indexed positions. */
  readonly scatterND: (x: Value, indices: Value, updates: Value, reduction: "add" | "none") => Value;
}
