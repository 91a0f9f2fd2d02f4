import { build } from "../../graph/index.js";
import { lengthOf } from "../lengths.js";
import type { Mechanism } from "../mechanism.js";
import { mechanism, sizesOf } from "../mechanism.js";
import { dot, normalisedRows, softmaxRow } from "../reference.js";
import type { Scale } from "../steps.js";
import { hideWeights, maskedSoftmax, mixed, products, scaleOf, visibleCount } from "../steps.js";

interface SelectiveTemperatureOptions {
  readonly scale: Scale;
}

/**
 * Softmax whose queries and values have temperatures of their own: a query says how sharply it looks, a value how much it
 * counts.
 *
 *   s[i,j] = scale · q_i·k_j · (τ_i + 1 + exp(−exp(β_h)) · log t_i)        z_i = Σ_j softmax(s_i)_j · (1 + σ_j) · v_j
 *
 * Gates: `query` is τ, `value` is σ, each a tanh of a projection. `selectivePosition` is its part without them.
 *
 * Range    weights ≥ 0; rows sum to between 0 and 2
 * Source   Selective Self-Attention, arXiv:2411.12892 §3, eq. 5
 * Differs  t is the number of keys that the query sees; the projections are linear, where the paper allows an MLP; keys
 *          have no temperature, as the paper's ablation has it
 */
export const selectiveTemperature: Mechanism<SelectiveTemperatureOptions> = mechanism({
  name: "selectiveTemperature",
  summary: "softmax with a temperature per query and a weight per value",
  source: "arXiv:2411.12892 §3",
  differs: "t is the number of visible keys; temperatures are linear in the token before their tanh",
  rows: [168],
  defaults: { scale: "1/√D" },
  promises: { sees: "mask", rows: "free", mixesValues: true },
  cost: { time: "T²·D", state: "(2·D + 1)·T" },
  held: ({ heads, keyHeads, valueHeads, headDim, valueDim, keys }) =>
    keys * (keyHeads * headDim + valueHeads * valueDim + heads),
  parameters: ({ heads }) => ({ beta: { shape: [heads], initial: 1.5 } }),
  gates: { query: { per: "head", range: [-1, 1] }, value: { per: "head", range: [-1, 1] } },
  build: ({ q, k, v, mask, bias, parameters, gates }, { scale }) => {
    lengthOf("selectiveTemperature", sizesOf("selectiveTemperature", { q, k, v }));
    const rate = build.exp(build.neg(build.exp(build.unsqueeze(parameters["beta"], [1, 2])))); // [H,1,1]
    const plain = build.mul(products(q, k), scaleOf(scale, q.shape[3] as number));
    const count = build.maximum(visibleCount(plain, mask), 1);
    const position = build.add(build.mul(rate, build.log(count)), 1);
    const sharpened = build.mul(plain, build.add(position, build.unsqueeze(gates["query"], [3])));
    const scores = bias ? build.add(sharpened, bias) : sharpened;
    const counted = build.mul(maskedSoftmax(scores, mask), build.unsqueeze(build.add(gates["value"], 1), [2]));
    const pattern = hideWeights(counted, mask);
    return { scores, pattern, z: mixed(pattern, v) };
  },
  reference: (head, { scale }) => {
    const { q, k, gates, parameters, sees } = head;
    const factor = scaleOf(scale, q[0].length);
    const rate = Math.exp(-Math.exp(parameters["beta"][head.head]));
    const sharpened = (scores: readonly number[], i: number): number[] =>
      softmaxRow(scores.map((score) => score * (gates["query"][i][0] + 1 + rate * Math.log(scores.length))));
    const rows = normalisedRows(head, (i, j) => factor * dot(q[i], k[j]), sharpened);
    return { pattern: rows.map((row, i) => row.map((x, j) => (sees(i, j) ? x * (1 + gates["value"][j][0]) : 0))) };
  },
  limits: [{ when: "temperatures are 1", parameters: { beta: 10 }, gates: { query: 0, value: 0 }, equals: "softmax" }],
});
