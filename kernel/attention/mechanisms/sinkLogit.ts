import { build } from "../../graph/index.js";
import type { Mechanism } from "../mechanism.js";
import { mechanism } from "../mechanism.js";
import { dot, normalisedRows } from "../reference.js";
import type { Scale } from "../steps.js";
import { attendByScores, scaleOf, softmaxWithSink } from "../steps.js";

interface SinkLogitOptions {
  readonly scale: Scale;
}

/**
 * Softmax with one more logit per head that has no value: a head may attend to nothing.
 *
 *   pattern[i,j] = exp(s[i,j]) / (exp(b_h) + Σ_j' exp(s[i,j']))
 *
 * Range    rows sum to 1 − exp(b_h) / (…), strictly below 1; a row with every key hidden is all 0
 * Source   a learned b per head: gpt-oss, and arXiv:2309.17453 §3.3 (sink token of zero key and value, b = 0)
 * Differs  b = 0, the default start, is softmax-off-by-one
 */
export const sinkLogit: Mechanism<SinkLogitOptions> = mechanism({
  name: "sinkLogit",
  summary: "softmax with a learned logit per head that takes mass and gives nothing",
  source: "arXiv:2309.17453 §3.3",
  defaults: { scale: "1/√D" },
  promises: { sees: "mask", rows: "at most one", mixesValues: true },
  cost: { time: "T²·D", state: "2·T·D" },
  parameters: ({ heads }) => ({ sink: { shape: [heads], initial: 0 } }),
  build: (call, { scale }) => {
    const sink = build.unsqueeze(call.parameters["sink"], [1, 2]); // [H,1,1]
    return attendByScores(call, scale, (scores, mask) => softmaxWithSink(scores, mask, sink));
  },
  reference: (head, { scale }) => {
    const factor = scaleOf(scale, head.q[0].length);
    const sink = head.parameters["sink"][head.head];
    const normalise = (scores: readonly number[]): number[] => {
      const sum = scores.reduce((total, score) => total + Math.exp(score), Math.exp(sink));
      return scores.map((score) => Math.exp(score) / sum);
    };
    return { pattern: normalisedRows(head, (i, j) => factor * dot(head.q[i], head.k[j]), normalise) };
  },
  limits: [{ when: "the sink's logit is very low", parameters: { sink: -1e4 }, equals: "softmax" }],
});
