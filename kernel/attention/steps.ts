import type { Value } from "../graph/index.js";
import { build } from "../graph/index.js";
import type { Attended, Call } from "./mechanism.js";

/** What q·k is multiplied by; `"1/√D"` follows the head size. */
export type Scale = number | "1/√D";

export function scaleOf(scale: Scale, headDim: number): number {
  return scale === "1/√D" ? 1 / Math.sqrt(headDim) : scale;
}

/** Most negative float32: a hidden score before a softmax, or what it is lowered by; a row of nothing else is uniform. */
export const hiddenScore = -3.4028234663852886e38;

/** Heads of queries per head of keys. */
function perGroup(heads: Value, groups: Value): number {
  return (heads.shape[1] as number) / (groups.shape[1] as number);
}

/** The heads of a group as rows of one matrix, so that keys and values are never repeated: [B,H,Q,X] → [B,G,n·Q,X]. */
function stacked(x: Value, groups: Value): Value {
  const [batch, , queries, last] = x.shape;
  const n = perGroup(x, groups);
  return n === 1 ? x : build.reshape(x, [batch, groups.shape[1], rows(n, queries), last]);
}

function rows(n: number, queries: number | string): number | string {
  return typeof queries === "number" ? n * queries : `${n}*${queries}`;
}

/** Step 2, score: q·kᵀ of every query and key, [B,H,Q,K]. */
export function products(q: Value, k: Value): Value {
  const [batch, heads, queries] = q.shape;
  const all = build.matMul(stacked(q, k), build.transpose(k, [0, 1, 3, 2]));
  return perGroup(q, k) === 1 ? all : build.reshape(all, [batch, heads, queries, k.shape[2]]);
}

/** Step 5, mix: pattern · v, [B,H,Q,E]. */
export function mixed(pattern: Value, v: Value): Value {
  const [batch, heads, queries] = pattern.shape;
  const all = build.matMul(stacked(pattern, v), v);
  return perGroup(pattern, v) === 1 ? all : build.reshape(all, [batch, heads, queries, v.shape[3]]);
}

/** Keys or values once per query head: [B,G,K,D] → [B,H,K,D]. */
export function perHead(x: Value, heads: number): Value {
  const [batch, groups, keys, headDim] = x.shape;
  const n = heads / (groups as number);
  if (n === 1) return x;
  const repeated = build.expand(build.unsqueeze(x, [2]), [batch, groups, n, keys, headDim]);
  return build.reshape(repeated, [batch, heads, keys, headDim]);
}

/** x · σ(x). */
export function silu(x: Value): Value {
  return build.mul(x, build.sigmoid(x));
}

/** x at length 1 along an axis; zeros stay zeros. */
export function atUnitLength(x: Value, axis: number): Value {
  const norm = build.sqrt(build.reduceSum(build.mul(x, x), [axis], true));
  return build.div(x, build.maximum(norm, 1e-12));
}

/**
 * x at a mean square of 1 over some axes; zeros stay zeros.
 *
 *   x / (‖x‖₂ / √n)
 *
 * Source   SimpleRMSNorm, arXiv:2307.14995 eq. 8
 */
export function atUnitPower(x: Value, axes: readonly number[]): Value {
  const power = build.reduceMean(build.mul(x, x), axes, true);
  return build.div(x, build.sqrt(build.maximum(power, 1e-12)));
}

/** Step 3, mask: hidden scores lowered out of every softmax. */
export function hideScores(scores: Value, mask: Value | undefined): Value {
  return mask ? build.where(mask, scores, hiddenScore) : scores;
}

/** Weights with 0 at hidden keys. */
export function hideWeights(weights: Value, mask: Value | undefined): Value {
  return mask ? build.where(mask, weights, 0) : weights;
}

/** exp(s) / Σ exp(s) over visible keys; a row without any is all 0. */
export function maskedSoftmax(scores: Value, mask: Value | undefined): Value {
  return hideWeights(build.softmax(hideScores(scores, mask), -1), mask);
}

/** exp(s) / (exp(sink) + Σ exp(s)) over visible keys: what the sink takes is missing from the row. */
export function softmaxWithSink(scores: Value, mask: Value | undefined, sink: Value): Value {
  const lowered = hideScores(scores, mask);
  const highest = build.reduceMax(lowered, [-1], true); // [B,H,Q,1]
  const top = build.where(build.less(highest, sink), sink, highest);
  const powers = hideWeights(build.exp(build.sub(lowered, top)), mask);
  return build.div(powers, build.add(build.reduceSum(powers, [-1], true), build.exp(build.sub(sink, top))));
}

/** Steps 2 to 5 of a mechanism that normalises scaled dot products row by row. */
export function attendByScores(
  { q, k, v, mask, bias }: Call,
  scale: Scale,
  normalise: (scores: Value, mask: Value | undefined) => Value,
): Attended & { readonly scores: Value } {
  const scaled = build.mul(products(q, k), scaleOf(scale, q.shape[3] as number));
  const scores = bias ? build.add(scaled, bias) : scaled;
  const pattern = normalise(scores, mask);
  return { scores, pattern, z: mixed(pattern, v) };
}

/** How many keys each query sees, [...,Q,1]. */
export function visibleCount(scores: Value, mask: Value | undefined): Value {
  const [, , queries, keys] = scores.shape;
  const ones = build.expand(build.scalar(1, scores.dtype), [1, 1, queries, keys]);
  return build.reduceSum(hideWeights(ones, mask), [-1], true);
}
