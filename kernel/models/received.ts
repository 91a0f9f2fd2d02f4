import type { Value } from "../graph/index.js";
import { build } from "../graph/index.js";
import { Tensor } from "../tensor/index.js";
import type { Batch } from "./family.js";
import type { Site } from "./site.js";

/**
 * The mean attention that each key receives from the real queries at or after it; from all real queries where attention
 * looks both ways.
 *
 *   α_k = Σ_{q real, q ≥ k} w[q] · A[q,k] / Σ_{q real, q ≥ k} 1, w = 1 when left out
 *
 * Shapes   pattern [B,H,Q,K] · weights [B,H,Q] → [B,H,K]
 * Range    0 for padding; the last keys are means over one or two queries
 * Source   arXiv:2410.10781 eq. 2
 */
export function meanReceived(pattern: Value, { real, batch, model, feed }: Site, weights?: Value): Value {
  const rows = build.unsqueeze(real, [1]);
  const received = fromQueries(pattern, weights ? build.mul(weights, rows) : real); // [B,H,K]
  const counts = feed("seeing", seeingQueries(batch, model.causal), real.shape);
  const mean = build.div(received, build.unsqueeze(counts, [1]));
  return build.mul(mean, build.unsqueeze(real, [1]));
}

/**
 * Σ_q w[q] · x[q,k]: what each key receives from all queries, each with a weight.
 *
 * Shapes   x [B,H,Q,K] · weights [B,Q] or [B,H,Q] → [B,H,K]
 */
export function fromQueries(x: Value, weights: Value): Value {
  return build.squeeze(build.matMul(build.unsqueeze(weights, weights.shape.length === 2 ? [1, 2] : [2]), x), [2]);
}

/** How many real queries are at or after each key, or in the prompt; at least 1 so that it divides. [B,K] */
export function seeingQueries({ size, length, attentionMask }: Batch, causal: boolean): Tensor<"float32"> {
  const counts = new Float32Array(size * length);
  for (let b = 0; b < size; b++) {
    let after = 0;
    for (let k = length - 1; k >= 0; k--) {
      after += attentionMask[b * length + k];
      counts[b * length + k] = after;
    }
    if (!causal) counts.fill(after, b * length, (b + 1) * length);
  }
  return new Tensor(
    "float32",
    [size, length],
    counts.map((count) => Math.max(count, 1)),
  );
}
