import type { Value } from "../graph/index.js";
import { constant } from "../graph/index.js";
import { packNumbers, Tensor, UnsupportedError } from "../tensor/index.js";
import type { Sizes } from "./mechanism.js";

/** Numbers of queries and keys; throws UnsupportedError where they are words. */
export function lengthsOf(place: string, { queries, keys }: Pick<Sizes, "queries" | "keys">): [number, number] {
  if (typeof queries === "number" && typeof keys === "number") return [queries, keys];
  throw new UnsupportedError(
    `${place}: lengths must be known when the graph is built, got ${queries} queries and ${keys} keys`,
  );
}

/** One length for queries and keys; throws UnsupportedError where they differ or are words. */
export function lengthOf(place: string, sizes: Pick<Sizes, "queries" | "keys">): number {
  const [queries, keys] = lengthsOf(place, sizes);
  if (queries === keys) return keys;
  throw new UnsupportedError(`${place}: needs as many queries as keys, got ${queries} and ${keys}`);
}

/** A constant of the dtype of `like`, from its entries. */
export function table(like: Value, shape: readonly number[], entry: (...at: number[]) => number): Value {
  const size = shape.reduce((a, b) => a * b, 1);
  const data = Array.from({ length: size }, (_, flat) => {
    const at: number[] = [];
    let rest = flat;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      at.unshift(rest % shape[axis]);
      rest = Math.floor(rest / shape[axis]);
    }
    return entry(...at);
  });
  return constant(new Tensor(like.dtype, shape, packNumbers(like.dtype, data)));
}
