import type { Value } from "../graph/index.js";
import { build, constant } from "../graph/index.js";
import { OptionError, packNumbers, Tensor, UnsupportedError } from "../tensor/index.js";
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

/** So many tokens by the parts or the size that an option names; throws OptionError where they leave a rest. */
export function dividedBy(place: string, name: string, count: number, tokens: number): number {
  if (tokens % count === 0) return tokens / count;
  throw new OptionError(`${place}: ${name} must divide ${tokens} tokens, got ${count}`);
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

/** 0, 1, 2 … as a constant of the dtype of `like`, [T]. */
export function places(like: Value, length: number): Value {
  return table(like, [length], (t) => t);
}

/** Whether a key is no later than its query, [Q,K]; made where the graph runs, from two rows of numbers. */
export function past(like: Value, queries: number, keys: number = queries): Value {
  return build.greaterOrEqual(build.unsqueeze(places(like, queries), [1]), places(like, keys));
}
