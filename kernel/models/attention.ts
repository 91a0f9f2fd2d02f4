import { hiddenScore, mixed, products, softmaxWithSink } from "../attention/steps.js";
import type { Value } from "../graph/index.js";
import { build } from "../graph/index.js";
import type { GraphContext } from "./family.js";

export interface AttentionTerms {
  /** What q·k is multiplied by. */
  readonly scale: number;
  /** Scores become c·tanh(score / c) before anything is hidden. */
  readonly softcap?: number | undefined;
  /** Added to the scores, [B,1,Q,K] or [B,1,1,K]. */
  readonly bias?: Value | undefined;
  /** Scores are the most negative float32 where this is true, whatever they were, [B,1,Q,K]. */
  readonly hidden?: Value;
  /** One more logit per head, [H], which takes attention and gives nothing. */
  readonly sink?: Value | undefined;
}

/** c·tanh(x / c): keeps values within −c … c. */
export function softcapped(x: Value, cap: number | undefined): Value {
  return cap === undefined ? x : build.mul(build.tanh(build.div(x, cap)), cap);
}

/**
 * Attention with its scores, pattern and head outputs addressed. Key head j serves the queries of heads
 * j·H/G … (j+1)·H/G − 1.
 *
 *   z = softmax(cap(scale · q·kᵀ) + bias) · v, with a sink over one key more, which has no value
 *
 * Shapes   q [B,H,Q,D] · k, v [B,G,K,D] → z [B,H,Q,D]
 * Source   arXiv:1706.03762 §3.2; groups arXiv:2305.13245 §2.2
 */
export function attend(tap: GraphContext["tap"], q: Value, k: Value, v: Value, terms: AttentionTerms): Value {
  const { scale, softcap, bias, hidden, sink } = terms;
  const scaled = softcapped(build.mul(products(q, k), scale), softcap);
  const biased = bias ? build.add(scaled, bias) : scaled;
  const scores = tap("attn.scores", hidden ? build.where(hidden, hiddenScore, biased) : biased); // [B,H,Q,K]
  const shares = sink ? softmaxWithSink(scores, undefined, build.unsqueeze(sink, [1, 2])) : build.softmax(scores, -1);
  const pattern = tap("attn.pattern", shares); // [B,H,Q,K]
  return tap("attn.z", mixed(pattern, v)); // [B,H,Q,D]
}
