import { wholeNumber } from "../../tensor/index.js";
import { build } from "../../graph/index.js";
import { highest } from "../highest.js";
import type { Mechanism } from "../mechanism.js";
import { mechanism } from "../mechanism.js";
import { dot, normalisedRows, softmaxRow } from "../reference.js";
import type { Scale } from "../steps.js";
import { attendByScores, hideScores, hideWeights, maskedSoftmax, scaleOf, visibleCount } from "../steps.js";

interface NearestKeysOptions {
  readonly scale: Scale;
  /** How many keys a query keeps: those of the highest scores among the visible ones. */
  readonly count: number;
  /** Whether one more key stands for the context: the mean of the visible ones. */
  readonly context: boolean;
}

/**
 * Softmax over the keys of the highest scores only.
 *
 *   pattern[i,·] = softmax over the `count` largest s[i,j], 0 elsewhere
 *
 * With `context`, the mean of all visible keys takes part, with the mean of their values: its score is the mean of theirs,
 * and what it gets is spread over them evenly.
 *
 * Range    rows sum to 1; keys that tie with the last one kept are kept too
 * Source   k-NN attention, arXiv:2106.00515 §3.1; with a context token, KTPP, arXiv:2410.10227; top-m
 *          attention of TANGNN
 */
export const nearestKeys: Mechanism<NearestKeysOptions> = mechanism<NearestKeysOptions>({
  name: "nearestKeys",
  summary: "softmax over the keys of the highest scores only, and the mean of all if asked",
  source: "arXiv:2106.00515 §3.1",
  rows: [30, 63],
  defaults: { scale: "1/√D", count: 4, context: false },
  promises: { sees: "mask", rows: "one", mixesValues: true },
  cost: { time: "T²·D", state: "2·T·D" },
  build: (call, { scale, count, context }) => {
    wholeNumber("nearestKeys", "count", count);
    return attendByScores(call, scale, (scores, mask) => {
      const near = highest(scores, mask, count);
      const kept = mask ? build.and(near, mask) : near;
      if (!context) return maskedSoftmax(scores, kept);
      const seen = build.maximum(visibleCount(scores, mask), 1); // [...,Q,1]
      const mean = build.div(build.reduceSum(hideWeights(scores, mask), [3], true), seen);
      const keys = scores.shape[3] as number;
      const weights = build.softmax(build.concat([hideScores(scores, kept), mean], 3), 3);
      const shared = build.div(build.slice(weights, 3, keys, keys + 1), seen);
      return hideWeights(build.add(hideWeights(build.slice(weights, 3, 0, keys), kept), shared), mask);
    });
  },
  reference: (head, { scale, count, context }) => {
    const factor = scaleOf(scale, head.q[0].length);
    const kept = (scores: readonly number[]): number[] => {
      const order = scores.map((_, j) => j).sort((a, b) => scores[b] - scores[a]);
      const near = order.slice(0, count);
      const mean = scores.reduce((a, b) => a + b, 0) / scores.length;
      const weights = softmaxRow([...near.map((j) => scores[j]), ...(context ? [mean] : [])]);
      const shared = context ? weights[near.length] / scores.length : 0;
      return scores.map((_, j) => shared + (near.includes(j) ? weights[near.indexOf(j)] : 0));
    };
    return { pattern: normalisedRows(head, (i, j) => factor * dot(head.q[i], head.k[j]), kept) };
  },
  alsoAsked: [{ context: true }],
  limits: [{ when: "every key is kept", options: { count: 1000 }, equals: "softmax" }],
});
