import { build } from "../../graph/index.js";
import { OptionError } from "../../tensor/index.js";
import { lengthOf } from "../lengths.js";
import type { Mechanism } from "../mechanism.js";
import { mechanism, sizesOf } from "../mechanism.js";
import { dot, normalisedRows, softmaxRow } from "../reference.js";
import type { Scale } from "../steps.js";
import { attendByScores, maskedSoftmax, scaleOf } from "../steps.js";

interface SelectedQueriesOptions {
  readonly scale: Scale;
  /** Share of the tokens that ask, the most important ones; at least one does. */
  readonly share: number;
}

function countOf(share: number, tokens: number): number {
  if (share > 0 && share <= 1) return Math.max(1, Math.floor(share * tokens));
  throw new OptionError(`selectedQueries: share must be above 0 and at most 1, got ${share}`);
}

/**
 * Only the most important tokens ask, and see every key: local queries against the whole picture.
 *
 *   pattern[i,·] = softmax(s[i,·]) for the ⌊R·T⌋ tokens of the highest `importance`, 0 for the others
 *
 * The gate `importance` is what says so: in the paper the class token's row of the attention rollout of earlier layers.
 *
 * Range    rows sum to 1 where the token asks; a token that does not gets zeros
 * Source   global-local cross-attention of DCAL, arXiv:2205.02151 §3.2
 * Differs  importance is a gate for each head, so that it may come from anywhere
 */
export const selectedQueries: Mechanism<SelectedQueriesOptions> = mechanism<SelectedQueriesOptions>({
  name: "selectedQueries",
  summary: "only the most important tokens ask, and see every key",
  source: "arXiv:2205.02151 §3.2",
  differs: "importance is a gate for each head, so that it may come from anywhere",
  rows: [14],
  defaults: { scale: "1/√D", share: 0.5 },
  promises: { sees: "mask", rows: "at most one", mixesValues: true },
  cost: { time: "R·T²·D", state: "2·T·D" },
  gates: { importance: { per: "head", range: [0, 1] } },
  build: (call, { scale, share }) => {
    const tokens = lengthOf("selectedQueries", sizesOf("selectedQueries", call));
    const count = countOf(share, tokens);
    const { importance } = call.gates;
    const least = build.slice(build.topK(importance, count, 2).values, 2, count - 1, count); // [B,H,1]
    const asks = build.unsqueeze(build.greaterOrEqual(importance, least), [3]);
    return attendByScores(call, scale, (scores, mask) => build.where(asks, maskedSoftmax(scores, mask), 0));
  },
  reference: (given, { scale, share }) => {
    const factor = scaleOf(scale, given.q[0].length);
    const order = given.q
      .map((_, i) => i)
      .sort((a, b) => given.gates["importance"][b][0] - given.gates["importance"][a][0]);
    const asking = new Set(order.slice(0, countOf(share, given.q.length)));
    const pattern = normalisedRows(given, (i, j) => factor * dot(given.q[i], given.k[j]), softmaxRow);
    return { pattern: pattern.map((row, i) => (asking.has(i) ? row : row.map(() => 0))) };
  },
  limits: [{ when: "every token asks", options: { share: 1 }, equals: "softmax" }],
});
