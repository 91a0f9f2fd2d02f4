import type { Value } from "../../graph/index.js";
import { build } from "../../graph/index.js";
import { wholeNumber } from "../../tensor/index.js";
import { highest } from "../highest.js";
import type { Mechanism } from "../mechanism.js";
import { mechanism } from "../mechanism.js";
import { dot, normalisedRows, softmaxRow } from "../reference.js";
import type { Scale } from "../steps.js";
import { attendByScores, maskedSoftmax, perHead, products, scaleOf } from "../steps.js";

interface PredictedSparseOptions {
  readonly scale: Scale;
  /** Channels by which connections are predicted. */
  readonly rank: number;
  /** Keys that every query keeps. */
  readonly count: number;
}

/**
 * A cheap product of low rank predicts which keys matter; softmax over those only.
 *
 *   c[i,j] = (q_i·A)·(k_j·B),  A, B [D,r]        pattern[i,·] = softmax over the `count` keys of the largest c[i,·]
 *
 * Range    rows sum to 1; keys that tie with the last one kept are kept too; A and B get no gradient
 * Source   Sparsifiner, arXiv:2303.13755 §3.2 and §3.3
 * Differs  connections go through r channels, so that any length will do; in the paper through r weighted means of tokens,
 *          which also gives A and B a loss of their own
 */
export const predictedSparse: Mechanism<PredictedSparseOptions> = mechanism({
  name: "predictedSparse",
  summary: "softmax over the keys that a product of low rank predicts",
  source: "arXiv:2303.13755 §3.2",
  differs: "connections are predicted through r channels instead of r weighted means of tokens",
  rows: [135],
  defaults: { scale: "1/√D", rank: 2, count: 4 },
  promises: { sees: "mask", rows: "one", mixesValues: true },
  cost: { time: "T²·r + T·n·D", state: "2·T·D" },
  parameters: ({ heads, headDim }, { rank }) => ({
    queryDown: { shape: [heads, headDim, rank], initial: { std: 1 / Math.sqrt(headDim) } },
    keyDown: { shape: [heads, headDim, rank], initial: { std: 1 / Math.sqrt(headDim) } },
  }),
  build: (call, { scale, rank, count }) => {
    wholeNumber("predictedSparse", "rank", rank);
    wholeNumber("predictedSparse", "count", count);
    const { q, k, parameters } = call;
    const heads = q.shape[1] as number;
    const predicted = products(
      build.matMul(q, parameters["queryDown"]),
      build.matMul(perHead(k, heads), parameters["keyDown"]),
    ); // [B,H,Q,K]
    return attendByScores(call, scale, (scores, mask) => {
      const near: Value = highest(predicted, mask, count);
      return maskedSoftmax(scores, mask ? build.and(near, mask) : near);
    });
  },
  reference: (given, { scale, rank, count }) => {
    const { q, k, head, parameters, sees } = given;
    const factor = scaleOf(scale, q[0].length);
    const down = (row: readonly number[], name: string): number[] =>
      Array.from({ length: rank }, (_, r) =>
        row.reduce((sum, x, d) => sum + x * parameters[name][(head * row.length + d) * rank + r], 0),
      );
    const kept = q.map((row, i) => {
      const asking = down(row, "queryDown");
      const order = k.flatMap((key, j) => (sees(i, j) ? [[dot(asking, down(key, "keyDown")), j]] : []));
      return new Set(
        order
          .sort(([a], [b]) => b - a)
          .slice(0, count)
          .map(([, j]) => j),
      );
    });
    const shown = { ...given, sees: (i: number, j: number) => kept[i].has(j) };
    return { pattern: normalisedRows(shown, (i, j) => factor * dot(q[i], k[j]), softmaxRow) };
  },
  limits: [{ when: "every key is kept", options: { count: 1000 }, equals: "softmax" }],
});
