import { build } from "../../graph/index.js";
import type { Mechanism } from "../mechanism.js";
import { mechanism } from "../mechanism.js";
import { ownScores } from "../ownScores.js";
import type { Scale } from "../steps.js";
import { perHead, scaleOf, silu } from "../steps.js";

interface SelfScoredOptions {
  readonly scale: Scale;
}

/**
 * Softmax without comparing tokens: each token's query meets its own key, and the score holds for all who read it.
 *
 *   s_j = scale · Σ_d silu(q_j)_d · k_jd        pattern[t,j] = e^{s_j} / Σ_{j'≤t} e^{s_j'}
 *
 * A recurrence carries all that came before in a maximum, a sum and a mean.
 *
 * Range    rows sum to 1; two rows have the same ratios at the keys that both see
 * Source   Deconstructing Attention, arXiv:2510.11602 eq. 7–8, "Non-approximate"; as a recurrence App. I, eq. 18
 */
export const selfScored: Mechanism<SelfScoredOptions> = mechanism({
  name: "selfScored",
  summary: "softmax of scores that each token gives itself: its query meets its own key only",
  source: "arXiv:2510.11602 eq. 7–8",
  rows: [16],
  defaults: { scale: "1/√D" },
  limits: [{ when: "scores count nothing", options: { scale: 0 }, equals: "softmax", with: { scale: 0 } }],
  ...ownScores<SelfScoredOptions>("selfScored", {
    scoresOf: ({ q, k }, heads, { scale }) => {
      const own = build.mul(silu(q), perHead(k, heads));
      const sums = build.mul(build.reduceSum(own, [3], true), scaleOf(scale, q.shape[3] as number));
      return build.transpose(sums, [0, 1, 3, 2]);
    },
    scoreOf: ({ q, k }, key, { scale }) =>
      scaleOf(scale, q[key].length) * q[key].reduce((sum, x, d) => sum + (x / (1 + Math.exp(-x))) * k[key][d], 0),
  }),
});
