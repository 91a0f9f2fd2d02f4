import type { Value } from "../../graph/index.js";
import { build } from "../../graph/index.js";
import { wholeNumber } from "../../tensor/index.js";
import type { Mechanism } from "../mechanism.js";
import { mechanism } from "../mechanism.js";
import { normalisedRows, softmaxRow } from "../reference.js";
import { maskedSoftmax, mixed, perHead } from "../steps.js";

interface AdditiveOptions {
  /** Hidden units of each score. */
  readonly hidden: number;
}

/**
 * Scores by a small network of query and key instead of their product; the pattern is a pointer into the keys.
 *
 *   s[i,j] = wᵀ·tanh(W₁·k_j + W₂·q_i)        pattern = softmax(s)
 *
 * Range    rows sum to 1
 * Source   arXiv:1409.0473 appendix A.1.2; Pointer Networks, arXiv:1506.03134 eq. 3, whose output is the pattern
 */
export const additive: Mechanism<AdditiveOptions> = mechanism<AdditiveOptions>({
  name: "additive",
  summary: "scores by a small network of query and key; the pattern points at keys",
  source: "arXiv:1506.03134 eq. 3",
  rows: [79],
  defaults: { hidden: 8 },
  promises: { sees: "mask", rows: "one", mixesValues: true },
  cost: { time: "T²·A", state: "T·(A + D)" },
  held: ({ heads, valueHeads, valueDim, keys }, { hidden }) => keys * (heads * hidden + valueHeads * valueDim),
  parameters: ({ heads, headDim }, { hidden }) => {
    wholeNumber("additive", "hidden", hidden);
    const initial = { std: 1 / Math.sqrt(headDim) };
    return {
      ofKeys: { shape: [heads, headDim, hidden], initial },
      ofQueries: { shape: [heads, headDim, hidden], initial },
      score: { shape: [heads, hidden], initial: { std: 1 / Math.sqrt(hidden) } },
    };
  },
  build: ({ q, k, v, mask, bias, parameters }) => {
    const heads = q.shape[1] as number;
    const ofKeys = build.unsqueeze(build.matMul(perHead(k, heads), parameters["ofKeys"]), [2]); // [B,H,1,K,A]
    const ofQueries = build.unsqueeze(build.matMul(q, parameters["ofQueries"]), [3]); // [B,H,Q,1,A]
    const weights = build.unsqueeze(parameters["score"], [1, 2]); // [H,1,1,A]
    const plain: Value = build.reduceSum(build.mul(build.tanh(build.add(ofKeys, ofQueries)), weights), [4]);
    const scores = bias ? build.add(plain, bias) : plain;
    const pattern = maskedSoftmax(scores, mask);
    return { scores, pattern, z: mixed(pattern, v) };
  },
  reference: (given, { hidden }) => {
    const { q, k, head, parameters } = given;
    const through = (row: readonly number[], name: string, a: number): number =>
      row.reduce((sum, x, d) => sum + x * parameters[name][(head * row.length + d) * hidden + a], 0);
    const score = (i: number, j: number): number =>
      Array.from(
        { length: hidden },
        (_, a) =>
          parameters["score"][head * hidden + a] *
          Math.tanh(through(k[j], "ofKeys", a) + through(q[i], "ofQueries", a)),
      ).reduce((sum, x) => sum + x, 0);
    return { pattern: normalisedRows(given, score, softmaxRow) };
  },
  limits: [{ when: "its last weights are 0", parameters: { score: 0 }, equals: "softmax", with: { scale: 0 } }],
});
