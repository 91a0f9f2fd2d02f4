import { build } from "../../graph/index.js";
import type { Mechanism } from "../mechanism.js";
import { mechanism, sizesOf } from "../mechanism.js";
import { learnedScore, learnedScores } from "../ownScores.js";
import { normalisedRows, softmaxRow } from "../reference.js";
import type { Scale } from "../steps.js";
import { maskedSoftmax, mixed } from "../steps.js";

interface LearnedQueriesOptions {
  readonly scale: Scale;
}

/**
 * Pooling by learned queries, one per head, whoever asks.
 *
 *   s_j = scale · w_h·k_j        z = softmax(s) v
 *
 * Efficient probing has the tokens themselves as the one key head and cuts the values of one projection into a part per
 * query: k [B,1,K,M], v [B,H,K,M/H] for tokens of M channels, H·M + M² numbers in all. The call's queries are not looked at.
 *
 * Range    rows sum to 1, and are equal for all queries
 * Source   efficient probing, arXiv:2506.10178; the causal form with a recurrence is `aaren`
 */
export const learnedQueries: Mechanism<LearnedQueriesOptions> = mechanism({
  name: "learnedQueries",
  summary: "pooling by one learned query per head, whoever asks",
  source: "arXiv:2506.10178",
  differs: "the tokens are the keys where they are given as one head of keys; a layer of `transformer` projects them",
  rows: [64],
  defaults: { scale: "1/√D" },
  promises: { sees: "mask", rows: "one", mixesValues: true },
  cost: { time: "T·D", state: "T·(D + 1)" },
  held: ({ heads, valueHeads, valueDim, keys }) => keys * (heads + valueHeads * valueDim),
  parameters: ({ heads, headDim }) => ({ query: { shape: [heads, headDim], initial: { std: 1 } } }),
  build: (call, { scale }) => {
    const { batch, heads, queries, keys } = sizesOf("learnedQueries", call);
    const same = build.expand(learnedScores(call, heads, scale), [batch, heads, queries, keys]);
    const scores = call.bias ? build.add(same, call.bias) : same;
    const pattern = maskedSoftmax(scores, call.mask);
    return { scores, pattern, z: mixed(pattern, call.v) };
  },
  reference: (head, { scale }) => ({
    pattern: normalisedRows(head, (_, j) => learnedScore(head, j, scale), softmaxRow),
  }),
  limits: [{ when: "its queries are 0", parameters: { query: 0 }, equals: "softmax", with: { scale: 0 } }],
});
