import type { Value } from "../graph/index.js";
import { build, constant } from "../graph/index.js";
import { packNumbers, ShapeError, Tensor } from "../tensor/index.js";
import { lengthOf } from "./lengths.js";
import type { Call } from "./mechanism.js";
import { sizesOf } from "./mechanism.js";
import type { Rows } from "./reference.js";

/** Throws ShapeError unless channels can be mixed: as many in values as in queries, as many keys as queries. */
export function channelsOf(place: string, call: Pick<Call, "q" | "k" | "v">): { heads: number; headDim: number } {
  const sizes = sizesOf(place, call);
  lengthOf(place, sizes);
  const { heads, headDim, valueDim } = sizes;
  if (headDim === valueDim) return { heads, headDim };
  throw new ShapeError(`${place}: expected values of as many channels as keys, got ${valueDim} and ${headDim}`);
}

/** The pattern of what mixes channels: every token reads itself, [B,H,T,T]. */
export function ownTokens(q: Value): Value {
  const [batch, heads, tokens] = q.shape as [Value["shape"][0], number, number];
  const numbers = Array.from({ length: tokens }, (_, token) => token);
  const places = (shape: readonly number[]): Value =>
    constant(new Tensor("int64", shape, packNumbers("int64", numbers)));
  const isOwn = build.equal(places([tokens, 1]), places([1, tokens]));
  return build.expand(build.cast(isOwn, q.dtype), [batch, heads, tokens, tokens]);
}

/** The same in plain numbers. */
export function ownTokenRows(rows: Rows): number[][] {
  return rows.map((_, i) => rows.map((__, j) => Number(i === j)));
}

/** One channel of all tokens. */
export function channel(rows: Rows, at: number): number[] {
  return rows.map((row) => row[at]);
}
