import { wholeNumber } from "../../tensor/index.js";
import type { Value } from "../../graph/index.js";
import { build } from "../../graph/index.js";
import type { Mechanism } from "../mechanism.js";
import { mechanism } from "../mechanism.js";
import { dot, normalisedRows, softmaxRow } from "../reference.js";
import type { Scale } from "../steps.js";
import { attendByScores, hideScores, maskedSoftmax, scaleOf } from "../steps.js";

interface NearestKeysOptions {
  readonly scale: Scale;
  /** How many keys a query keeps: those of the highest scores among the visible ones. */
  readonly count: number;
}

/** Whether a score is among the highest `count` of its row. */
function isNear(scores: Value, mask: Value | undefined, count: number): Value {
  const lowered = hideScores(scores, mask);
  const keys = scores.shape[3];
  const kept = typeof keys === "number" ? Math.min(count, keys) : count;
  const lowest = build.slice(build.topK(lowered, kept, 3).values, 3, kept - 1, kept); // [B,H,Q,1]
  return build.greaterOrEqual(lowered, lowest);
}

/**
 * Softmax over the keys of the highest scores only.
 *
 *   pattern[i,·] = softmax over the `count` largest s[i,j], 0 elsewhere
 *
 * Range    rows sum to 1; keys that tie with the last one kept are kept too
 * Source   k-NN attention, arXiv:2106.00515 §3.1
 */
export const nearestKeys: Mechanism<NearestKeysOptions> = mechanism({
  name: "nearestKeys",
  summary: "softmax over the keys of the highest scores only",
  source: "arXiv:2106.00515 §3.1",
  defaults: { scale: "1/√D", count: 4 },
  promises: { sees: "mask", rows: "one", mixesValues: true },
  cost: { time: "T²·D", state: "2·T·D" },
  build: (call, { scale, count }) => {
    wholeNumber("nearestKeys", "count", count);
    return attendByScores(call, scale, (scores, mask) => {
      const near = isNear(scores, mask, count);
      return maskedSoftmax(scores, mask ? build.and(near, mask) : near);
    });
  },
  reference: (head, { scale, count }) => {
    const factor = scaleOf(scale, head.q[0].length);
    const kept = (scores: readonly number[]): number[] => {
      const order = scores.map((_, j) => j).sort((a, b) => scores[b] - scores[a]);
      const near = order.slice(0, count);
      const weights = softmaxRow(near.map((j) => scores[j]));
      return scores.map((_, j) => (near.includes(j) ? weights[near.indexOf(j)] : 0));
    };
    return { pattern: normalisedRows(head, (i, j) => factor * dot(head.q[i], head.k[j]), kept) };
  },
  limits: [{ when: "every key is kept", options: { count: 1000 }, equals: "softmax" }],
});
