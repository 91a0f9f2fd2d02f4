import type { Value } from "../../graph/index.js";
import { build } from "../../graph/index.js";
import { lengthOf } from "../lengths.js";

/**
 * Moves entry T−1−(i−j) of row i to column j: memory O(T·D) where a table per pair of positions would take O(T²·D).
 *
 * Shapes   […,T,T] → […,T,T]; entries above the diagonal mean nothing
 * Source   Music Transformer, arXiv:1809.04281 §3.4.1
 */
export function skew(x: Value): Value {
  const rank = x.shape.length;
  const length = lengthOf("skew", { queries: x.shape[rank - 2], keys: x.shape[rank - 1] });
  const lead = x.shape.slice(0, -2);
  const column = build.mul(build.slice(x, rank - 1, 0, 1), 0);
  const padded = build.reshape(build.concat([column, x], rank - 1), [...lead, length + 1, length]);
  return build.slice(padded, rank - 2, 1, length + 1);
}

/**
 * Learned embeddings of distances: what is added to the scores before they are scaled.
 *
 *   bias[i,j] = q_i · E[T−1−(i−j)],  j ≤ i
 *
 * Shapes   q [B,H,T,D] · embeddings [T,D] or [H,T,D], the last one of distance 0 → [B,H,T,T]; hide keys after the query
 * Source   arXiv:1809.04281 eq. 3
 */
export function relative(q: Value, embeddings: Value): Value {
  const rank = embeddings.shape.length;
  const turned = build.transpose(embeddings, rank === 2 ? [1, 0] : [0, 2, 1]);
  return skew(build.matMul(q, turned));
}
