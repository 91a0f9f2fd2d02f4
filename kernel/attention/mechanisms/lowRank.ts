import { build } from "../../graph/index.js";
import { wholeNumber } from "../../tensor/index.js";
import type { Mechanism } from "../mechanism.js";
import { mechanism } from "../mechanism.js";
import { normalisedRows, softmaxRow } from "../reference.js";
import { maskedSoftmax, mixed, perHead, products } from "../steps.js";

interface LowRankOptions {
  /** Rank of the form that compares query and key. */
  readonly rank: number;
}

/**
 * Scores by a bilinear form of low rank: query and key meet in r products.
 *
 *   s[i,j] = Σ_r p_r · (q_i·U_r)·(k_j·V_r)        pattern = softmax(s)
 *
 * With one learned query, the context of the whole text, it is a pooling.
 *
 * Range    rows sum to 1
 * Source   LAMA, arXiv:1912.00835 §3
 * Differs  U and V stand for each head, as heads here have channels of their own; any queries, not one learned context
 */
export const lowRank: Mechanism<LowRankOptions> = mechanism<LowRankOptions>({
  name: "lowRank",
  summary: "scores by a bilinear form of low rank",
  source: "arXiv:1912.00835 §3",
  differs: "factors for each head, as heads have channels of their own; any queries, not one learned context",
  rows: [75],
  defaults: { rank: 4 },
  promises: { sees: "mask", rows: "one", mixesValues: true },
  cost: { time: "T²·r + T·r·D", state: "T·(r + D)" },
  held: ({ heads, valueHeads, valueDim, keys }, { rank }) => keys * (heads * rank + valueHeads * valueDim),
  parameters: ({ heads, headDim }, { rank }) => {
    wholeNumber("lowRank", "rank", rank);
    const initial = { std: 1 / Math.sqrt(headDim) };
    return {
      ofQueries: { shape: [heads, headDim, rank], initial },
      ofKeys: { shape: [heads, headDim, rank], initial },
      weights: { shape: [heads, rank], initial: 1 },
    };
  },
  build: ({ q, k, v, mask, bias, parameters }) => {
    const asking = build.matMul(q, parameters["ofQueries"]); // [B,H,Q,r]
    const weighed = build.mul(asking, build.unsqueeze(parameters["weights"], [1]));
    const plain = products(weighed, build.matMul(perHead(k, q.shape[1] as number), parameters["ofKeys"]));
    const scores = bias ? build.add(plain, bias) : plain;
    const pattern = maskedSoftmax(scores, mask);
    return { scores, pattern, z: mixed(pattern, v) };
  },
  reference: (given, { rank }) => {
    const { q, k, head, parameters } = given;
    const through = (row: readonly number[], name: string, r: number): number =>
      row.reduce((sum, x, d) => sum + x * parameters[name][(head * row.length + d) * rank + r], 0);
    const score = (i: number, j: number): number =>
      Array.from(
        { length: rank },
        (_, r) => parameters["weights"][head * rank + r] * through(q[i], "ofQueries", r) * through(k[j], "ofKeys", r),
      ).reduce((sum, x) => sum + x, 0);
    return { pattern: normalisedRows(given, score, softmaxRow) };
  },
  limits: [{ when: "its weights are 0", parameters: { weights: 0 }, equals: "softmax", with: { scale: 0 } }],
});
