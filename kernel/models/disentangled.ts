import type { Value } from "../graph/index.js";
import { build, constant } from "../graph/index.js";
import { Tensor } from "../tensor/index.js";

const { fround } = Math;

/** How relative positions share their embeddings. */
export interface RelativeSpan {
  /** Rows of the table on either side of 0. */
  readonly span: number;
  /** Number of logarithmic buckets; every distance has its own row when undefined. */
  readonly buckets: number | undefined;
  /** The distance from which on all share the last bucket. */
  readonly farthest: number;
}

/**
 * The row of the table of relative positions for the distance query − key; the nearer half of the buckets is one
 * distance each, the others grow exponentially.
 *
 *   row = clamp(δ + S, 0, 2S − 1),  δ = d where |d| ≤ m = buckets/2,
 *   δ = sign(d) · (m + ⌈ln(|d|/m) / ln((farthest − 1)/m) · (m − 1)⌉) beyond
 *
 * Source   arXiv:2006.03654 eq. 3; the buckets as in transformers' DebertaV2
 */
export function relativeRow(distance: number, { span, buckets, farthest }: RelativeSpan): number {
  const middle = buckets === undefined ? Infinity : Math.floor(buckets / 2);
  const size = Math.abs(distance);
  let bucket = distance;
  if (size > middle) {
    // In float32 at each step, as the reference rounds.
    const log = (x: number): number => fround(Math.log(fround(x)));
    const share = fround(fround(log(size / middle) / log((farthest - 1) / middle)) * (middle - 1));
    bucket = Math.sign(distance) * (Math.ceil(share) + middle);
  }
  return Math.min(Math.max(bucket + span, 0), 2 * span - 1);
}

/** Products of queries, or of keys, with the rows of relative positions, each at the row of its query and key. */
export interface RelativeScores {
  /** Shapes   q [B,H,Q,D] · rows [1,H,2S,D] → [B,H,Q,K] */
  readonly byQuery: (q: Value, rows: Value) => Value;
  /** Shapes   k [B,H,K,D] · rows [1,H,2S,D] → [B,H,Q,K] */
  readonly byKey: (k: Value, rows: Value) => Value;
}

/**
 * Scores of content against relative position.
 *
 * Shapes   index [B,T] int32, the same in each row; less than `positions` everywhere
 * Source   arXiv:2006.03654 eq. 4
 */
export function relativeScores(index: Value, positions: number, relative: RelativeSpan): RelativeScores {
  const rowCount = 2 * relative.span;
  const table = constant(
    new Tensor(
      "int32",
      [2 * positions - 1],
      Int32Array.from({ length: 2 * positions - 1 }, (_, i) => relativeRow(i - positions + 1, relative)),
    ),
  );
  const own = build.squeeze(build.slice(index, 0, 0, 1), [0]); // [T]
  const [query, key] = [build.unsqueeze(own, [1]), build.unsqueeze(own, [0])];
  const row = build.gather(table, build.add(build.sub(query, key), positions - 1), 0); // [Q,K]
  // One flat index for every batch and head: element (t, row) of [T,2S].
  const chosen = (products: Value, at: Value): Value => {
    const [batch, heads, length] = products.shape;
    const flat = build.reshape(products, [batch, heads, `${rowCount}*${length}`]);
    return build.gather(flat, build.add(build.mul(at, rowCount), row), 2);
  };
  const products = (x: Value, rows: Value): Value => build.matMul(x, build.transpose(rows, [0, 1, 3, 2]));
  return {
    byQuery: (q, rows) => chosen(products(q, rows), query),
    byKey: (k, rows) => chosen(products(k, rows), key),
  };
}
