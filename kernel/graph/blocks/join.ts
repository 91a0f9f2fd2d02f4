import { build } from "../build.js";
import type { Dim } from "../dims.js";
import { productOf, quotientOf } from "../dims.js";
import type { Value } from "../value.js";

/** Rows that one loop gives: a result of it, [turns, …, side·size, …]. */
export interface Strip {
  readonly value: Value;
  /** The row of the whole that its first turn begins with. */
  readonly first: number;
  /** Rows of one turn. */
  readonly size: number;
  /** How many rows there are; those after them fill the last block up. */
  readonly count: number;
}

/** A value that is nothing but rows that loops give: whoever runs the loops one by one may write these where they belong. */
export interface Join {
  readonly value: Value;
  readonly axis: number;
  readonly strips: readonly Strip[];
}

/** Rows of all turns of a loop, and how many turns it has. */
export interface Made extends Strip {
  readonly times: Dim;
}

/** Rows of all blocks of a loop, [times, …, size, …], one after another: [before, side, times·size, after]. */
export function strip(x: Value, axis: number, word: string, { value, times, size, count }: Made): Value {
  const side = quotientOf(x.shape[axis], word)!;
  const before = x.shape.slice(0, axis);
  const after = x.shape.slice(axis + 1);
  const apart = build.reshape(value, [times, ...before, side, size, ...after]);
  const order = apart.shape.map((_, at) => at).slice(1);
  const beside = build.transpose(apart, order.toSpliced(axis + 1, 0, 0)); // [before, side, times, size, after]
  const long = build.reshape(beside, [...before, side, productOf([times, size]), ...after]);
  const isOver = typeof times === "number" && times * size > count;
  return isOver ? build.slice(long, axis + 1, 0, count) : long;
}
