import type { Value } from "../../graph/index.js";
import { lengthsOf, table } from "../lengths.js";

/**
 * Slopes of the heads: 2^(−8(h+1)/n) for n heads; where H is no power of two, those of the next lower one and then every
 * second of twice as many.
 *
 * Source   arXiv:2108.12409 §3 and its footnote on other head counts (the authors' code)
 */
export function alibiSlopes(heads: number): number[] {
  const lower = 2 ** Math.floor(Math.log2(heads));
  const geometric = (n: number): number[] => Array.from({ length: n }, (_, h) => 2 ** ((-8 * (h + 1)) / n));
  const between = geometric(2 * lower).filter((_, h) => h % 2 === 0);
  return [...geometric(lower), ...between].slice(0, heads);
}

/**
 * A penalty that grows with distance: what is added to the scaled scores.
 *
 *   bias[h,i,j] = −slope_h · |i − j|
 *
 * Shapes   like […] (for its dtype) → [H,Q,K]
 * Source   arXiv:2108.12409 §3
 */
export function alibi(like: Value, heads: number, lengths: { readonly queries: number; readonly keys: number }): Value {
  const [queries, keys] = lengthsOf("alibi", lengths);
  const slopes = alibiSlopes(heads);
  return table(like, [heads, queries, keys], (h, i, j) => -slopes[h] * Math.abs(i - j));
}
