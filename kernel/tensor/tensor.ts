import { displayTensor } from "./display.js";
import type { DataOf, DType } from "./dtype.js";
import { bytesOf, dtypes, isDType, numberAt, packNumbers } from "./dtype.js";
import { knownNames, OptionError, ShapeError } from "./errors.js";
import { showWith } from "./show.js";
import { asAxis, asShape, formatShape, sizeOf, stridesOf } from "./shape.js";

type Nested = number | boolean | bigint | readonly Nested[];

/**
 * A dense row-major array with a shape and an element type; never changed after it is made.
 *
 * Throws   ShapeError unless the data holds exactly the product of the shape
 * Example  tensor([[1, 2], [3, 4]]).slice(0, 1)
 */
export class Tensor<D extends DType = DType> {
  readonly shape: readonly number[];
  readonly dtype: D;
  readonly data: DataOf[D];

  constructor(dtype: D, shape: readonly number[], data: DataOf[D]) {
    if (!isDType(dtype)) throw new OptionError(`tensor: unknown dtype "${String(dtype)}"${knownNames(dtype, dtypes)}`);
    this.shape = asShape("tensor", shape);
    if (sizeOf(shape) !== data.length) {
      throw new ShapeError(
        `tensor: shape ${formatShape(shape)} holds ${sizeOf(shape)} elements, got data of ${data.length}`,
      );
    }
    this.dtype = dtype;
    this.data = data;
    Object.freeze(this);
  }

  /** Number of elements. */
  get size(): number {
    return this.data.length;
  }

  get sizeBytes(): number {
    return this.data.length * bytesOf(this.dtype);
  }

  /** The element at one index per axis, as a number; negative indices count from the end. */
  item(...index: readonly number[]): number {
    if (index.length !== this.shape.length) {
      throw new ShapeError(
        `tensor.item: expected ${this.shape.length} indices for shape ${formatShape(this.shape)}, got ${index.length}`,
      );
    }
    const strides = stridesOf(this.shape);
    const offset = index.reduce((sum, i, axis) => sum + asAxis("tensor.item", i, this.shape[axis]) * strides[axis], 0);
    return numberAt(this.dtype, this.data, offset);
  }

  /**
   * The part at the given leading indices, as a view on the same data.
   *
   * Shapes   [a,b,c…] at (i) → [b,c…], at (i, j) → [c…]
   * Throws   ShapeError outside the shape
   */
  slice(...index: readonly number[]): Tensor<D> {
    if (index.length > this.shape.length) {
      throw new ShapeError(
        `tensor.slice: at most ${this.shape.length} indices for shape ${formatShape(this.shape)}, got ${index.length}`,
      );
    }
    const strides = stridesOf(this.shape);
    const start = index.reduce((sum, i, axis) => sum + asAxis("tensor.slice", i, this.shape[axis]) * strides[axis], 0);
    const shape = this.shape.slice(index.length);
    return new Tensor(this.dtype, shape, this.data.subarray(start, start + sizeOf(shape)) as DataOf[D]);
  }

  /** All elements as numbers, in row-major order. */
  numbers(): Float64Array {
    return Float64Array.from({ length: this.size }, (_, i) => numberAt(this.dtype, this.data, i));
  }
}

showWith(Tensor.prototype, displayTensor);

/**
 * A tensor from nested arrays or one number.
 *
 * Throws   ShapeError on ragged rows
 * Example  tensor([[1, 0], [0, 1]], "int32")
 */
export function tensor<D extends DType = "float32">(values: Nested, dtype: D = "float32" as D): Tensor<D> {
  const shape: number[] = [];
  for (let level = values; Array.isArray(level); level = (level as readonly Nested[])[0] ?? 0) shape.push(level.length);
  const flat: number[] = [];
  const collect = (value: Nested, axis: number): void => {
    const length = Array.isArray(value) ? value.length : undefined;
    if (length !== shape[axis]) {
      throw new ShapeError(
        `tensor: ragged rows at axis ${axis}; expected length ${shape[axis] ?? "none (a number)"}, got ${length ?? "a number"}`,
      );
    }
    if (Array.isArray(value)) (value as readonly Nested[]).forEach((inner) => collect(inner, axis + 1));
    else flat.push(Number(value));
  };
  collect(values, 0);
  return new Tensor(dtype, shape, packNumbers(dtype, flat));
}
