import { build } from "../../graph/index.js";
import type { Mechanism } from "../mechanism.js";
import { mechanism } from "../mechanism.js";
import { dot, weightsOf } from "../reference.js";
import type { Scale } from "../steps.js";
import { attendByScores, hideWeights, scaleOf, visibleCount } from "../steps.js";

interface ReluOptions {
  readonly scale: Scale;
  /** Number of keys to divide by: of the sequence, of those that the query sees, or a given one. */
  readonly divisor: "K" | "visible" | number;
}

/**
 * Positive scores, divided by the number of keys.
 *
 *   pattern[i,j] = max(0, s[i,j]) / K
 *
 * Range    ≥ 0; rows sum to anything, to 0 where no score is positive
 * Source   arXiv:2309.08586 §3
 */
export const relu: Mechanism<ReluOptions> = mechanism({
  name: "relu",
  summary: "positive scores divided by the number of keys",
  source: "arXiv:2309.08586 §3",
  defaults: { scale: "1/√D", divisor: "K" },
  promises: { sees: "mask", rows: "free", mixesValues: true },
  cost: { time: "T²·D", state: "2·T·D" },
  build: (call, { scale, divisor }) =>
    attendByScores(call, scale, (scores, mask) => {
      const by = typeof divisor === "number" ? divisor : visibleCount(scores, divisor === "K" ? undefined : mask);
      return build.div(hideWeights(build.relu(scores), mask), by);
    }),
  reference: (head, { scale, divisor }) => {
    const factor = scaleOf(scale, head.q[0].length);
    const seen = (i: number): number => head.k.filter((_, j) => head.sees(i, j)).length;
    const by = (i: number): number => (divisor === "K" ? head.k.length : divisor === "visible" ? seen(i) : divisor);
    return { pattern: weightsOf(head, (i, j) => Math.max(0, factor * dot(head.q[i], head.k[j])) / by(i)) };
  },
  limits: [],
});
