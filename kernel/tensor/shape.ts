import { ShapeError } from "./errors.js";

/** Number of elements. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((size, dim) => size * dim, 1);
}

/** Elements to step over per index of each axis, row-major. */
export function stridesOf(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length).fill(1);
  for (let axis = shape.length - 2; axis >= 0; axis--) strides[axis] = strides[axis + 1] * shape[axis + 1];
  return strides;
}

/**
 * A shape checked at the door.
 *
 * Throws   ShapeError unless every dimension is a whole number of at least 0
 */
export function asShape(place: string, shape: readonly number[]): readonly number[] {
  if (!shape.every((dim) => Number.isSafeInteger(dim) && dim >= 0)) {
    throw new ShapeError(`${place}: a shape holds whole numbers of at least 0, got [${shape.join(", ")}]`);
  }
  return Object.freeze([...shape]);
}

/**
 * An axis counted from the front.
 *
 * Throws   ShapeError outside −rank … rank−1
 */
export function asAxis(place: string, axis: number, rank: number): number {
  if (!Number.isInteger(axis) || axis < -rank || axis >= rank) {
    throw new ShapeError(`${place}: expected an axis in ${-rank} … ${rank - 1}, got ${axis}`);
  }
  return axis < 0 ? axis + rank : axis;
}

/** A shape as it stands in messages: `[2,12,"query",64]` prints as `[2,12,query,64]`. */
export function formatShape(shape: readonly (number | string)[]): string {
  return `[${shape.join(",")}]`;
}
