import type { Mechanism } from "../mechanism.js";
import { mechanism } from "../mechanism.js";
import { dot, normalisedRows, softmaxRow } from "../reference.js";
import type { Scale } from "../steps.js";
import { attendByScores, maskedSoftmax, scaleOf } from "../steps.js";

interface SoftmaxOptions {
  readonly scale: Scale;
}

/**
 * Scaled dot-product attention.
 *
 *   pattern[i,j] = exp(s[i,j]) / Σ_j' exp(s[i,j'])        s = scale · q·kᵀ
 *
 * Range    rows sum to 1; a row with every key hidden is all 0, never NaN
 * Source   arXiv:1706.03762 eq. 1; groups of heads arXiv:2305.13245 §2.2
 */
export const softmax: Mechanism<SoftmaxOptions> = mechanism({
  name: "softmax",
  summary: "scaled dot products, exponentials, rows that sum to 1",
  source: "arXiv:1706.03762 eq. 1",
  rows: [50],
  defaults: { scale: "1/√D" },
  promises: { sees: "mask", rows: "one", mixesValues: true },
  cost: { time: "T²·D", state: "2·T·D" },
  build: (call, { scale }) => attendByScores(call, scale, maskedSoftmax),
  reference: (head, { scale }) => {
    const factor = scaleOf(scale, head.q[0].length);
    return { pattern: normalisedRows(head, (i, j) => factor * dot(head.q[i], head.k[j]), softmaxRow) };
  },
  limits: [],
});
