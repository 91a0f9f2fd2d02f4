import { build } from "../../graph/index.js";
import { OptionError, wholeNumber } from "../../tensor/index.js";
import { lengthsOf } from "../lengths.js";
import type { Mechanism } from "../mechanism.js";
import { mechanism, sizesOf } from "../mechanism.js";
import { keysOf, mean, merged, partOf } from "../merge.js";
import { dot, normalisedRows, softmaxRow } from "../reference.js";
import type { Scale } from "../steps.js";
import { hideScores, hideWeights, maskedSoftmax, perHead, products, scaleOf } from "../steps.js";

interface CascadeOptions {
  readonly scale: Scale;
  /** How often the keys are gone through: 3, 2 with the division put off, or 1 with a running maximum. */
  readonly passes: 1 | 2 | 3;
  /** Keys that one pass holds at a time. */
  readonly block: number;
}

/**
 * Softmax attention as cascades of sums over the keys: the same result in three, two or one pass over them.
 *
 *   3: m = max s; d = Σ e^{s−m}; z = Σ (e^{s−m}/d)·v   2: m = max s; z = Σ e^{s−m}·v / Σ e^{s−m}
 *   1: running m, d and numerator per block, scaled to each new maximum
 *
 * A device that holds one block at a time needs a buffer of T scores per query for 3 and 2 passes, of one block for 1.
 *
 * Range    rows sum to 1: softmax, whatever the cascade
 * Source   FuseMax, arXiv:2406.10491 §4 (cascades 3 to 5)
 */
export const cascade: Mechanism<CascadeOptions> = mechanism<CascadeOptions>({
  name: "cascade",
  summary: "softmax in three, two or one pass over the keys",
  source: "arXiv:2406.10491 §4",
  rows: [68],
  defaults: { scale: "1/√D", passes: 1, block: 64 },
  promises: { sees: "mask", rows: "one", mixesValues: true },
  cost: { time: "T²·D", state: "2·T·D; buffer T in 3 or 2 passes, one block in 1" },
  build: ({ q, k, v, mask, bias }, { scale, passes, block }) => {
    wholeNumber("cascade", "block", block);
    if (passes !== 1 && passes !== 2 && passes !== 3)
      throw new OptionError(`cascade: passes must be 1, 2 or 3, got ${String(passes)}`);
    const sizes = sizesOf("cascade", { q, k, v });
    const plain = build.mul(products(q, k), scaleOf(scale, sizes.headDim));
    const scores = bias ? build.add(plain, bias) : plain;
    const values = perHead(v, sizes.heads);
    const pattern = maskedSoftmax(scores, mask);
    if (passes === 2) return { scores, pattern, z: mean(partOf(scores, mask, values)) };
    if (passes === 3) {
      const lowered = hideScores(scores, mask);
      const powers = hideWeights(build.exp(build.sub(lowered, build.reduceMax(lowered, [-1], true))), mask);
      const sum = build.reduceSum(powers, [-1], true);
      const shares = build.div(powers, build.where(build.greater(sum, 0), sum, 1));
      return { scores, pattern, z: build.matMul(shares, values) };
    }
    const [, keys] = lengthsOf("cascade", sizes);
    const parts = Array.from({ length: Math.ceil(keys / block) }, (_, n) => {
      const [from, to] = [n * block, Math.min(keys, (n + 1) * block)];
      return partOf(keysOf(scores, from, to), mask && keysOf(mask, from, to), build.slice(values, 2, from, to));
    });
    return { scores, pattern, z: mean(parts.reduce(merged)) };
  },
  reference: (head, { scale }) => {
    const factor = scaleOf(scale, head.q[0].length);
    return { pattern: normalisedRows(head, (i, j) => factor * dot(head.q[i], head.k[j]), softmaxRow) };
  },
  limits: [
    { when: "it is one pass", options: { block: 2 }, equals: "softmax" },
    { when: "it is two passes", options: { passes: 2 }, equals: "softmax" },
    { when: "it is three passes", options: { passes: 3 }, equals: "softmax" },
  ],
  alsoAsked: [{ block: 2 }, { passes: 2 }, { passes: 3 }],
});
