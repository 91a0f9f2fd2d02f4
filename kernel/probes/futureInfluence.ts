import { build } from "../graph/index.js";
import type { Batch, Probe } from "../models/index.js";
import { checkOptions, OptionError, Tensor } from "../tensor/index.js";
import { overLayers, positions } from "./parts/attention.js";

export interface FutureInfluenceOptions {
  /** The nearest query that counts, in tokens after the key; default 10. */
  readonly from?: number;
  /** The farthest; default 50. */
  readonly to?: number;
}

/**
 * The mean attention that each token receives from what comes a while after it: high at the anchors of a text.
 *
 *   FAI[k] = mean over real q, k + from ≤ q ≤ k + to, of A[q,k]
 *
 * Shapes   [B,L,H,K]
 * Range    0 … 1; 0 for padding, and for a token that no query is so far behind
 * Source   arXiv:2510.13554, from 10 to 50
 * Differs  per head; the source averages over the heads of widest span
 */
export function futureInfluence(options: FutureInfluenceOptions = {}): Probe {
  checkOptions("futureInfluence", options, ["from", "to"]);
  const { from = 10, to = 50 } = options;
  if (![from, to].every((at) => Number.isInteger(at) && at >= 0) || to < from) {
    throw new OptionError(
      `futureInfluence: expected whole numbers 0 ≤ from ≤ to, got ${String(from)} and ${String(to)}`,
    );
  }
  return {
    name: "futureInfluence",
    measure: (site) => {
      const order = positions(site);
      const after = build.sub(build.unsqueeze(order, [1]), build.unsqueeze(order, [0])); // [Q,K]
      const isIn = build.and(build.greaterOrEqual(after, from), build.lessOrEqual(after, to));
      const shares = site.feed(`influence ${from} ${to}`, sharesOf(site.batch, from, to), site.real.shape);
      const counted = build.mul(build.cast(isIn, "float32"), build.unsqueeze(site.real, [2])); // [B,Q,K]
      return overLayers(site, "attn.pattern", (pattern) => {
        const received = build.reduceSum(build.mul(pattern, build.unsqueeze(counted, [1])), [2]); // [B,H,K]
        return build.mul(received, build.unsqueeze(shares, [1]));
      });
    },
  };
}

/** One over the number of real queries in reach of each key; 0 where there is none, and for padding. [B,K] */
function sharesOf({ size, length, attentionMask }: Batch, from: number, to: number): Tensor<"float32"> {
  const shares = Float32Array.from({ length: size * length }, (_, i) => {
    if (attentionMask[i] !== 1) return 0;
    const [k, row] = [i % length, i - (i % length)];
    const queries = attentionMask.subarray(row + Math.min(k + from, length), row + Math.min(k + to + 1, length));
    const count = queries.reduce((sum, isReal) => sum + isReal, 0);
    return count === 0 ? 0 : 1 / count;
  });
  return new Tensor("float32", [size, length], shares);
}
