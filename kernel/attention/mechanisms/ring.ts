import { build } from "../../graph/index.js";
import { wholeNumber } from "../../tensor/index.js";
import { lengthsOf } from "../lengths.js";
import type { Mechanism } from "../mechanism.js";
import { mechanism, sizesOf } from "../mechanism.js";
import { keysOf, mean, merged, partOf } from "../merge.js";
import { dot, normalisedRows, softmaxRow } from "../reference.js";
import type { Scale } from "../steps.js";
import { maskedSoftmax, perHead, products, scaleOf } from "../steps.js";

interface RingOptions {
  readonly scale: Scale;
  /** Devices among which keys and values are shared out, in order. */
  readonly shards: number;
}

/**
 * Softmax attention as devices in a ring compute it: each reads its own keys, and what they found is merged by the
 * logarithms of their sums.
 *
 *   (m, u, w) = (max, Σ e^{s−m}, Σ e^{s−m}·v) per shard   merged: m = max(m, m'), u = u·e^{m₁−m} + u'·e^{m₂−m}, w alike
 *
 * Range    rows sum to 1: softmax, however the keys are shared out
 * Source   ring self-attention, arXiv:2105.13120 §3.2, with the merge of arXiv:2310.01889 §3; any sharding of queries is
 *          that of Core Attention Disaggregation, arXiv:2510.18121
 * Differs  the devices are parts of one graph
 */
export const ring: Mechanism<RingOptions> = mechanism({
  name: "ring",
  summary: "softmax over shards of the keys, merged by their log-sums",
  source: "arXiv:2105.13120 §3.2; merge arXiv:2310.01889 §3",
  differs: "the devices are parts of one graph",
  rows: [171, 34, 196],
  defaults: { scale: "1/√D", shards: 4 },
  promises: { sees: "mask", rows: "one", mixesValues: true },
  cost: { time: "T²·D", state: "2·T·D over all shards" },
  build: ({ q, k, v, mask, bias }, { scale, shards }) => {
    wholeNumber("ring", "shards", shards);
    const sizes = sizesOf("ring", { q, k, v });
    const [, keys] = lengthsOf("ring", sizes);
    const plain = build.mul(products(q, k), scaleOf(scale, sizes.headDim));
    const scores = bias ? build.add(plain, bias) : plain;
    const values = perHead(v, sizes.heads);
    const size = Math.ceil(keys / shards);
    const parts = Array.from({ length: Math.ceil(keys / size) }, (_, n) => {
      const [from, to] = [n * size, Math.min(keys, (n + 1) * size)];
      return partOf(keysOf(scores, from, to), mask && keysOf(mask, from, to), build.slice(values, 2, from, to));
    });
    return { scores, pattern: maskedSoftmax(scores, mask), z: mean(parts.reduce(merged)) };
  },
  reference: (head, { scale }) => {
    const factor = scaleOf(scale, head.q[0].length);
    return { pattern: normalisedRows(head, (i, j) => factor * dot(head.q[i], head.k[j]), softmaxRow) };
  },
  limits: [
    { when: "there is one shard", options: { shards: 1 }, equals: "softmax" },
    { when: "every key is a shard", options: { shards: 1000 }, equals: "softmax" },
  ],
});
