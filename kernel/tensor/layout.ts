import { OptionError, ShapeError } from "./errors.js";
import { asAxis, formatShape, sizeOf, stridesOf } from "./shape.js";

/** Where the elements of a tensor lie in its data. */
export interface Layout {
  readonly shape: readonly number[];
  /** Elements to step over per index of each axis; negative backwards, 0 to repeat. */
  readonly strides: readonly number[];
  /** Position of the first element. */
  readonly offset: number;
}

/** Elements of one axis: start … end−1 by step; negative bounds count from the end, bounds outside are cut. */
export type Range = readonly [start?: number | undefined, end?: number | undefined, step?: number | undefined];

/** True where the elements lie row by row without gaps. */
export function isDense({ shape, strides }: Layout): boolean {
  const dense = stridesOf(shape);
  return sizeOf(shape) === 0 || shape.every((length, axis) => length === 1 || strides[axis] === dense[axis]);
}

/**
 * The layout of the part that one index or range per leading axis chooses; an index takes its axis away.
 *
 * Throws   ShapeError on an index outside, or more parts than axes; OptionError on a range of no whole numbers or step 0
 */
export function layoutOfPart(place: string, layout: Layout, parts: readonly (number | Range)[]): Layout {
  const rank = layout.shape.length;
  if (parts.length > rank) {
    throw new ShapeError(
      `${place}: at most ${rank} indices for shape ${formatShape(layout.shape)}, got ${parts.length}`,
    );
  }
  let offset = layout.offset;
  const kept = layout.shape.flatMap((length, axis) => {
    const stride = layout.strides[axis];
    const part: number | Range = axis < parts.length ? parts[axis] : [];
    if (typeof part === "number") {
      offset += asAxis(place, part, length) * stride;
      return [];
    }
    const { start, step, count } = rangeOf(place, part, length);
    offset += count > 0 ? start * stride : 0;
    return [{ length: count, stride: stride * step }];
  });
  return { shape: kept.map(({ length }) => length), strides: kept.map(({ stride }) => stride), offset };
}

function rangeOf(place: string, range: Range, length: number) {
  const [, , step = 1] = range;
  if (![...range].every((x) => x === undefined || Number.isInteger(x)) || step === 0 || range.length > 3) {
    throw new OptionError(`${place}: expected a range [start, end, step] of whole numbers with step ≠ 0, got [${range.join(", ")}]`); // prettier-ignore
  }
  // Backwards, an end before the first element is −1.
  const [least, most] = step > 0 ? [0, length] : [-1, length - 1];
  const bound = (x: number | undefined, otherwise: number): number =>
    x === undefined ? otherwise : Math.min(Math.max(x < 0 ? x + length : x, least), most);
  const start = bound(range[0], step > 0 ? least : most);
  const end = bound(range[1], step > 0 ? most : least);
  return { start, step, count: Math.max(0, Math.ceil((end - start) / step)) };
}

/** Throws ShapeError unless every element lies in data of that length. */
export function checkLayout(place: string, { shape, strides, offset }: Layout, length: number): void {
  if (sizeOf(shape) === 0) return;
  const reach = shape.map((dim, axis) => (dim - 1) * strides[axis]);
  const first = reach.reduce((sum, x) => sum + Math.min(x, 0), offset);
  const last = reach.reduce((sum, x) => sum + Math.max(x, 0), offset);
  if (strides.length !== shape.length || !(first >= 0 && last < length)) {
    throw new ShapeError(
      `${place}: shape ${formatShape(shape)} with strides ${formatShape(strides)} from ${offset} leaves its data of ${length}`,
    );
  }
}
