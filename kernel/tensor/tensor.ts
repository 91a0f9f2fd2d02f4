import { displayTensor } from "./display.js";
import type { DataOf, DType } from "./dtype.js";
import { allocate, bytesOf, dtypes, isDType, numberAt, packNumbers } from "./dtype.js";
import { knownNames, OptionError, ShapeError } from "./errors.js";
import type { Layout, Range } from "./layout.js";
import { checkLayout, isDense, layoutOfPart } from "./layout.js";
import { showWith } from "./show.js";
import { asShape, formatShape, sizeOf, stridesOf } from "./shape.js";

type Nested = number | boolean | bigint | readonly Nested[];

/**
 * An array with a shape and an element type; never changed after it is made. Parts, transposes and reshapes are views:
 * they share the elements, and copy them only when `data` is asked for and they do not lie row by row.
 *
 * Throws   ShapeError unless the data holds exactly the product of the shape
 * Example  tensor([[1, 2], [3, 4]]).slice(0, [0, 1])
 */
export class Tensor<D extends DType = DType> {
  readonly shape: readonly number[];
  readonly dtype: D;
  /** The elements, row by row. */
  readonly data!: DataOf[D];
  readonly #source: DataOf[D];
  readonly #layout: Layout;
  #packed: DataOf[D] | undefined;

  /** `layout` says where the elements lie in `data`; by default row by row. */
  constructor(
    dtype: D,
    shape: readonly number[],
    data: DataOf[D],
    layout?: { readonly strides: readonly number[]; readonly offset: number },
  ) {
    if (!isDType(dtype)) throw new OptionError(`tensor: unknown dtype "${String(dtype)}"${knownNames(dtype, dtypes)}`);
    this.shape = asShape("tensor", shape);
    if (!layout && sizeOf(shape) !== data.length) {
      throw new ShapeError(
        `tensor: shape ${formatShape(shape)} holds ${sizeOf(shape)} elements, got data of ${data.length}`,
      );
    }
    this.dtype = dtype;
    this.#source = data;
    this.#layout = { shape: this.shape, ...(layout ?? { strides: stridesOf(shape), offset: 0 }) };
    if (layout) checkLayout("tensor", this.#layout, data.length);
    const { offset } = this.#layout;
    const own: PropertyDescriptor = isDense(this.#layout)
      ? { value: layout ? data.subarray(offset, offset + sizeOf(shape)) : data }
      : { get: () => (this.#packed ??= this.#pack()) };
    Object.defineProperty(this, "data", { ...own, enumerable: true });
    Object.freeze(this);
  }

  /** Number of elements. */
  get size(): number {
    return sizeOf(this.shape);
  }

  get sizeBytes(): number {
    return this.size * bytesOf(this.dtype);
  }

  /** The element at one index per axis, as a number; negative indices count from the end. */
  item(...index: readonly number[]): number {
    if (index.length !== this.shape.length) {
      throw new ShapeError(
        `tensor.item: expected ${this.shape.length} indices for shape ${formatShape(this.shape)}, got ${index.length}`,
      );
    }
    return numberAt(this.dtype, this.#source, layoutOfPart("tensor.item", this.#layout, index).offset);
  }

  /**
   * A part, as a view: per leading axis an index, which takes the axis away, or a range `[start, end, step]`, in which
   * negative bounds count from the end and a negative step goes backwards; `[]` keeps the axis whole.
   *
   * Shapes   [a,b,c…] by (i) → [b,c…], by (i, j) → [c…], by ([], [0, 2]) → [a,2,c…]
   * Throws   ShapeError on an index outside the shape
   * Example  pattern.slice(0, 3, [-5])  // head 3, the last five queries
   */
  slice(...parts: readonly (number | Range)[]): Tensor<D> {
    return this.#view(layoutOfPart("tensor.slice", this.#layout, parts));
  }

  /** The part at the given leading indices, as a view. Shapes   [a,b,c…] at (i) → [b,c…] */
  at(...index: readonly number[]): Tensor<D> {
    return this.#view(layoutOfPart("tensor.at", this.#layout, index));
  }

  /**
   * The axes in another order, as a view; without a permutation in reverse.
   *
   * Throws   ShapeError unless every axis is named once
   */
  transpose(permutation: readonly number[] = this.shape.map((_, axis) => this.shape.length - 1 - axis)): Tensor<D> {
    if ([...permutation].sort((a, b) => a - b).join() !== this.shape.map((_, axis) => axis).join()) {
      throw new ShapeError(
        `tensor.transpose: expected a permutation of the axes of ${formatShape(this.shape)}, got [${permutation.join(",")}]`,
      );
    }
    const { strides, offset } = this.#layout;
    const pick = (values: readonly number[]): number[] => permutation.map((axis) => values[axis]);
    return this.#view({ shape: pick(this.shape), strides: pick(strides), offset });
  }

  /**
   * The same elements in another shape, as a view where they lie row by row; one −1 takes what is left.
   *
   * Throws   ShapeError where the numbers of elements differ
   */
  reshape(shape: readonly number[]): Tensor<D> {
    const known = sizeOf(shape.filter((dim) => dim !== -1));
    const full = shape.map((dim) => (dim === -1 ? this.size / known : dim));
    if (shape.filter((dim) => dim === -1).length > 1 || sizeOf(full) !== this.size || !full.every(Number.isInteger)) {
      throw new ShapeError(
        `tensor.reshape: ${formatShape(this.shape)} and ${formatShape(shape)} hold different numbers of elements`,
      );
    }
    return new Tensor(this.dtype, full, this.data);
  }

  /**
   * The parts along the first axis, each a view.
   *
   * Throws   ShapeError on a tensor without axes
   * Example  for (const head of pattern.rows()) …
   */
  *rows(): Generator<Tensor<D>, void> {
    if (this.shape.length === 0) throw new ShapeError("tensor.rows: a single number has no rows");
    for (let i = 0; i < this.shape[0]; i++) yield this.at(i);
  }

  #view({ shape, strides, offset }: Layout): Tensor<D> {
    return new Tensor(this.dtype, shape, this.#source, { strides, offset });
  }

  #pack(): DataOf[D] {
    const { shape, strides, offset } = this.#layout;
    const packed = allocate(this.dtype, this.size);
    const index = shape.map(() => 0);
    let from = offset;
    for (let to = 0; to < packed.length; to++) {
      (packed as Float64Array)[to] = (this.#source as Float64Array)[from];
      for (let axis = shape.length - 1; axis >= 0; axis--) {
        from += strides[axis];
        if (++index[axis] < shape[axis]) break;
        from -= strides[axis] * shape[axis];
        index[axis] = 0;
      }
    }
    return packed;
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
