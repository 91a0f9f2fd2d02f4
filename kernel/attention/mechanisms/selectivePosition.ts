import { build } from "../../graph/index.js";
import type { Mechanism } from "../mechanism.js";
import { mechanism } from "../mechanism.js";
import { dot, normalisedRows, softmaxRow } from "../reference.js";
import type { Scale } from "../steps.js";
import { maskedSoftmax, mixed, products, scaleOf, visibleCount } from "../steps.js";

interface SelectivePositionOptions {
  readonly scale: Scale;
}

/**
 * Softmax whose temperature falls with the number of keys, against the dilution of long contexts.
 *
 *   s[i,j] = scale · q_i·k_j · (1 + exp(−exp(β_h)) · log t_i)
 *
 * Range    rows sum to 1
 * Source   Selective Self-Attention, arXiv:2411.12892 §3: the position-dependent part for queries
 * Differs  t is the number of keys that the query sees, the position in a causal model; the token-dependent temperatures
 *          of queries and values are left out, as in the authors' code
 */
export const selectivePosition: Mechanism<SelectivePositionOptions> = mechanism({
  name: "selectivePosition",
  summary: "softmax that sharpens with the number of keys, learned per head",
  source: "arXiv:2411.12892 §3",
  rows: [168],
  defaults: { scale: "1/√D" },
  promises: { sees: "mask", rows: "one", mixesValues: true },
  cost: { time: "T²·D", state: "2·T·D" },
  parameters: ({ heads }) => ({ beta: { shape: [heads], initial: 1.5 } }),
  build: ({ q, k, v, mask, bias, parameters }, { scale }) => {
    const rate = build.exp(build.neg(build.exp(build.unsqueeze(parameters["beta"], [1, 2])))); // [H,1,1]
    const plain = build.mul(products(q, k), scaleOf(scale, q.shape[3] as number));
    const count = visibleCount(plain, mask);
    // A query that sees nothing has no logarithm.
    const seen = build.where(build.less(count, 1), 1, count);
    const sharpened = build.mul(plain, build.add(build.mul(rate, build.log(seen)), 1));
    const scores = bias ? build.add(sharpened, bias) : sharpened;
    const pattern = maskedSoftmax(scores, mask);
    return { scores, pattern, z: mixed(pattern, v) };
  },
  reference: (head, { scale }) => {
    const factor = scaleOf(scale, head.q[0].length);
    const rate = Math.exp(-Math.exp(head.parameters["beta"][head.head]));
    const sharpened = (scores: readonly number[]): number[] =>
      softmaxRow(scores.map((score) => score * (1 + rate * Math.log(scores.length))));
    return { pattern: normalisedRows(head, (i, j) => factor * dot(head.q[i], head.k[j]), sharpened) };
  },
  limits: [{ when: "β is large", parameters: { beta: 10 }, equals: "softmax" }],
});
