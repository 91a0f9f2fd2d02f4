import { build } from "../graph/index.js";
import type { Probe } from "../models/index.js";
import { overLayers, positions, ratio } from "./parts/attention.js";

/**
 * How much higher the score of key 0 is than the mean of the others that a query sees before itself.
 *
 *   s[q,0] − mean_{1 ≤ k < q, k real} s[q,k], s the scores
 *
 * Shapes   [B,L,H,Q]
 * Range    0 for queries 0 and 1, which have no others; the model's hidden keys (a window) count with what hides them: read it on full layers
 * Source   Δlogit of arXiv:2410.13835, its code
 */
export function sinkLogit(): Probe {
  return {
    name: "sinkLogit",
    measure: (site) => {
      const order = positions(site);
      const [q, k] = [build.unsqueeze(order, [1]), build.unsqueeze(order, [0])];
      const between = build.and(build.less(k, q), build.greater(k, 0)); // [Q,K]
      const others = build.mul(build.cast(build.unsqueeze(between, [0]), "float32"), build.unsqueeze(site.real, [1])); // [B,Q,K]
      const isOther = build.greater(build.unsqueeze(others, [1]), 0); // [B,1,Q,K]
      const count = build.unsqueeze(build.reduceSum(others, [2]), [1]); // [B,1,Q]
      return overLayers(site, "attn.scores", (scores) => {
        const mean = ratio(build.reduceSum(build.where(isOther, scores, 0), [3]), count);
        const first = build.squeeze(build.slice(scores, 3, 0, 1), [3]);
        return build.where(build.greater(count, 0), build.sub(first, mean), 0);
      });
    },
  };
}
