import { build } from "../../graph/index.js";
import { channel, channelsOf, ownTokenRows, ownTokens } from "../channels.js";
import type { Mechanism } from "../mechanism.js";
import { mechanism } from "../mechanism.js";
import { dot, softmaxRow } from "../reference.js";
import { atUnitLength, perHead } from "../steps.js";

/**
 * Attention among channels, by the cosines of whole channels of queries and keys.
 *
 *   A[c,d] = softmax over d of τ_h · q̂_c·k̂_d,   q̂, k̂: channels of length 1        z = (A · vᵀ)ᵀ
 *
 * Range    rows of `channels` sum to 1; the pattern is the identity
 * Source   Restormer, arXiv:2111.09881 eq. 1; cross-covariance attention, arXiv:2106.09681 §3.1
 * Differs  without the convolutions that make queries, keys and values, which stand outside
 */
export const transposed: Mechanism = mechanism({
  name: "transposed",
  summary: "attention among channels, by their cosines over all tokens",
  source: "arXiv:2111.09881 eq. 1",
  differs: "the convolutions that make queries, keys and values stand outside",
  defaults: {},
  promises: { sees: "all", rows: "one", mixesValues: false },
  cost: { time: "T·D²", state: "not causal" },
  parameters: ({ heads }) => ({ temperature: { shape: [heads], initial: 1 } }),
  build: ({ q, k, v, parameters }) => {
    const { heads } = channelsOf("transposed", { q, k, v });
    const asking = build.transpose(atUnitLength(q, 2), [0, 1, 3, 2]);
    const cosines = build.matMul(asking, atUnitLength(perHead(k, heads), 2)); // [B,H,D,D]
    const channels = build.softmax(build.mul(cosines, build.unsqueeze(parameters["temperature"], [1, 2])), -1);
    return {
      channels,
      pattern: ownTokens(q),
      z: build.matMul(perHead(v, heads), build.transpose(channels, [0, 1, 3, 2])),
    };
  },
  reference: ({ q, k, v, head, parameters }) => {
    const cosine = (a: readonly number[], b: readonly number[]): number => dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
    const weights = q[0].map((_, c) =>
      softmaxRow(k[0].map((__, d) => parameters["temperature"][head] * cosine(channel(q, c), channel(k, d)))),
    );
    return { pattern: ownTokenRows(q), z: v.map((row) => weights.map((weight) => dot(weight, row))) };
  },
  askedOn: { headDim: 3, valueDim: 3 },
});
