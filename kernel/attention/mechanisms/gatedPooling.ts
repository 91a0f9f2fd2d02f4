import type { Value } from "../../graph/index.js";
import { build } from "../../graph/index.js";
import { wholeNumber } from "../../tensor/index.js";
import type { Mechanism } from "../mechanism.js";
import { mechanism } from "../mechanism.js";
import { normalisedRows, softmaxRow } from "../reference.js";
import { hideScores, hideWeights, maskedSoftmax, mixed, perHead } from "../steps.js";

interface GatedPoolingOptions {
  /** Hidden units of each score. */
  readonly hidden: number;
  /** How many of the highest keys are left out, so that a branch looks further. */
  readonly without: number;
}

/** Whether a key is not among the highest `without` of its row. */
function below(scores: Value, mask: Value | undefined, without: number): Value {
  const lowered = hideScores(scores, mask);
  const { values } = build.topK(lowered, without, 3);
  return build.less(lowered, build.slice(values, 3, without - 1, without));
}

/**
 * A bag of instances read as one: every head is a branch whose scores are its own, whatever the query.
 *
 *   s[·,j] = wᵀ·(tanh(V·k_j) ⊙ σ(U·k_j))        z = softmax(s) v
 *
 * With `without`, each branch leaves its highest instances out, as the masking of the paper does in training. A bag of no
 * more instances than that weighs 0.
 *
 * Range    rows sum to 1, and are equal for all queries
 * Source   ABMIL, arXiv:1802.04712 eq. 9; branches and masking of ACMIL, arXiv:2311.07125 §3
 * Differs  masking is certain, not drawn; several branches are several heads, averaged by what reads them
 */
export const gatedPooling: Mechanism<GatedPoolingOptions> = mechanism<GatedPoolingOptions>({
  name: "gatedPooling",
  summary: "a bag of instances read as one, by gated scores of the instances alone",
  source: "arXiv:1802.04712 eq. 9, arXiv:2311.07125 §3",
  differs: "masking of the highest instances is certain, not drawn; branches are heads",
  rows: [80],
  defaults: { hidden: 8, without: 0 },
  promises: { sees: "mask", rows: "one", mixesValues: true },
  cost: { time: "T·D·A", state: "T·(D + 1)" },
  held: ({ heads, valueHeads, valueDim, keys }) => keys * (heads + valueHeads * valueDim),
  parameters: ({ heads, headDim }, { hidden }) => {
    wholeNumber("gatedPooling", "hidden", hidden);
    const initial = { std: 1 / Math.sqrt(headDim) };
    return {
      content: { shape: [heads, headDim, hidden], initial },
      gate: { shape: [heads, headDim, hidden], initial },
      score: { shape: [heads, hidden], initial: { std: 1 / Math.sqrt(hidden) } },
    };
  },
  build: ({ q, k, v, mask, bias, parameters }, { without }) => {
    wholeNumber("gatedPooling", "without", without, 0);
    const [batch, heads, queries] = q.shape as [Value["shape"][0], number, Value["shape"][0]];
    const keys = perHead(k, heads);
    const content = build.tanh(build.matMul(keys, parameters["content"]));
    const gated = build.mul(content, build.sigmoid(build.matMul(keys, parameters["gate"]))); // [B,H,K,A]
    const row = build.reduceSum(build.mul(gated, build.unsqueeze(parameters["score"], [1])), [3]); // [B,H,K]
    const plain = build.expand(build.unsqueeze(row, [2]), [batch, heads, queries, k.shape[2]]);
    const scores = bias ? build.add(plain, bias) : plain;
    if (without === 0) {
      const pattern = maskedSoftmax(scores, mask);
      return { scores, pattern, z: mixed(pattern, v) };
    }
    const low = below(scores, mask, without);
    const kept = mask ? build.and(low, mask) : low;
    const pattern = hideWeights(maskedSoftmax(scores, kept), kept);
    return { scores, pattern, z: mixed(pattern, v) };
  },
  reference: (given, { hidden, without }) => {
    const { k, head, parameters } = given;
    const through = (row: readonly number[], name: string, a: number): number =>
      row.reduce((sum, x, d) => sum + x * parameters[name][(head * row.length + d) * hidden + a], 0);
    const scores = k.map((row) =>
      Array.from({ length: hidden }, (_, a) => {
        const gate = 1 / (1 + Math.exp(-through(row, "gate", a)));
        return parameters["score"][head * hidden + a] * Math.tanh(through(row, "content", a)) * gate;
      }).reduce((sum, x) => sum + x, 0),
    );
    const kept = (visible: readonly number[]): number[] => {
      const top = [...visible].sort((a, b) => b - a)[without - 1] ?? (without === 0 ? Infinity : -Infinity);
      const low = visible.filter((score) => score < top);
      const weights = low.length === 0 ? [] : softmaxRow(low);
      let next = 0;
      return visible.map((score) => (score < top ? weights[next++] : 0));
    };
    return { pattern: normalisedRows(given, (_, j) => scores[j], kept) };
  },
  limits: [{ when: "its last weights are 0", parameters: { score: 0 }, equals: "softmax", with: { scale: 0 } }],
});
