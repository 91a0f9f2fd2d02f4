import { build } from "../../graph/index.js";
import type { Mechanism } from "../mechanism.js";
import { mechanism } from "../mechanism.js";
import { dot, weightsOf } from "../reference.js";
import type { Scale } from "../steps.js";
import { attendByScores, hideWeights, scaleOf, visibleCount } from "../steps.js";

interface SigmoidOptions {
  readonly scale: Scale;
  /** Added to every score; `"−log K"` is minus the logarithm of the number of keys. */
  readonly bias: number | "−log K";
}

/**
 * A sigmoid of each score by itself: keys do not compete.
 *
 *   pattern[i,j] = σ(s[i,j] + b)
 *
 * Range    0 … 1 each; rows sum to anything up to the number of keys
 * Source   arXiv:2409.04431 eq. 3, with b = −log K
 */
export const sigmoid: Mechanism<SigmoidOptions> = mechanism({
  name: "sigmoid",
  summary: "each score through a sigmoid, no competition between keys",
  source: "arXiv:2409.04431 eq. 3",
  defaults: { scale: "1/√D", bias: "−log K" },
  promises: { sees: "mask", rows: "free", mixesValues: true },
  cost: { time: "T²·D", state: "2·T·D" },
  build: (call, { scale, bias }) =>
    attendByScores(call, scale, (scores, mask) => {
      const shift = bias === "−log K" ? build.neg(build.log(visibleCount(scores, undefined))) : bias;
      return hideWeights(build.sigmoid(build.add(scores, shift)), mask);
    }),
  reference: (head, { scale, bias }) => {
    const factor = scaleOf(scale, head.q[0].length);
    const shift = bias === "−log K" ? -Math.log(head.k.length) : bias;
    return { pattern: weightsOf(head, (i, j) => 1 / (1 + Math.exp(-(factor * dot(head.q[i], head.k[j]) + shift)))) };
  },
  limits: [],
});
