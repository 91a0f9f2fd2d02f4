import { build, futureLabel } from "../graph/index.js";
import type { Probe } from "../models/index.js";
import { overLayers, positions, ratio } from "./parts/attention.js";

/** Scores below are those of hidden keys: what hides them is near the most negative float32. */
const hidden = -1e37;

/**
 * How much higher the score of key 0 is than the mean of the others that a query sees before itself.
 *
 *   s[q,0] − mean_{1 ≤ k < q, k real and visible} s[q,k], s the scores
 *
 * Shapes   [B,L,H,Q]
 * Range    keys that the model hides (beyond a window) are not among the others; 0 for a query that sees no other key
 *          before itself, and where key 0 is hidden from it
 * Source   Δlogit of arXiv:2410.13835, its code
 */
export function sinkLogit(): Probe {
  return {
    name: "sinkLogit",
    measure: (site) => {
      const order = positions(site);
      const [q, k] = [build.unsqueeze(order, [1]), build.unsqueeze(order, [0])];
      // By its label, blocks of queries know that no key after a query counts.
      const isFuture = build.named(futureLabel, build.less(q, k)); // [Q,K]
      const between = build.and(build.not(isFuture), build.and(build.greater(q, k), build.greater(k, 0)));
      const isReal = build.greater(build.unsqueeze(site.real, [1, 2]), 0);
      const before = build.and(build.unsqueeze(between, [0, 1]), isReal); // [B,1,Q,K]
      return overLayers(site, "attn.scores", (scores) => {
        const isOther = build.and(before, build.greater(scores, hidden)); // [B,H,Q,K]
        const count = build.reduceSum(build.cast(isOther, "float32"), [3]); // [B,H,Q]
        const mean = ratio(build.reduceSum(build.where(isOther, scores, 0), [3]), count);
        const first = build.squeeze(build.slice(scores, 3, 0, 1), [3]);
        const isSeen = build.and(build.greater(count, 0), build.greater(first, hidden));
        return build.where(isSeen, build.sub(first, mean), 0);
      });
    },
  };
}
