import { build } from "../../graph/index.js";
import { lengthsOf } from "../lengths.js";
import type { Mechanism } from "../mechanism.js";
import { mechanism, sizesOf } from "../mechanism.js";
import { dot, softmaxRow } from "../reference.js";
import type { Scale } from "../steps.js";
import { perHead, scaleOf } from "../steps.js";

interface ForwardTokensOptions {
  readonly scale: Scale;
}

/**
 * Tokens also see those of an earlier block, each of which a learned factor calibrates.
 *
 *   z = softmax(scale · q·[k ; α·k′]ᵀ) [v ; α·v′],  k′, v′ of the earlier block: the gates `earlierKeys` and `earlierValues`
 *
 * The pattern holds the weights of the block's own keys.
 *
 * Range    rows sum to at most 1; α = 0 is not self-attention: the earlier tokens then have scores of 0 and take their share
 * Source   forward cross attention of FcaFormer, arXiv:2211.07198 §3
 * Differs  one factor for each head; merging the earlier tokens by a convolution stands outside
 */
export const forwardTokens: Mechanism<ForwardTokensOptions> = mechanism<ForwardTokensOptions>({
  name: "forwardTokens",
  summary: "tokens also see those of an earlier block, calibrated by a learned factor",
  source: "arXiv:2211.07198 §3",
  differs: "one factor for each head; merging the earlier tokens stands outside",
  rows: [95],
  defaults: { scale: "1/√D" },
  promises: { sees: "all", rows: "at most one", mixesValues: false },
  cost: { time: "2·T²·D", state: "not causal" },
  parameters: ({ heads }) => ({ factor: { shape: [heads], initial: 1 } }),
  gates: {
    earlierKeys: { per: "keyChannel", range: [-Infinity, Infinity] },
    earlierValues: { per: "valueChannel", range: [-Infinity, Infinity] },
  },
  build: ({ q, k, v, parameters, gates }, { scale }) => {
    const sizes = sizesOf("forwardTokens", { q, k, v });
    const { heads } = sizes;
    const [, keys] = lengthsOf("forwardTokens", sizes);
    const factor = build.unsqueeze(parameters["factor"], [1, 2]); // [H,1,1]
    const all = build.concat([perHead(k, heads), build.mul(gates["earlierKeys"], factor)], 2);
    const values = build.concat([perHead(v, heads), build.mul(gates["earlierValues"], factor)], 2);
    const scores = build.matMul(q, build.transpose(all, [0, 1, 3, 2]));
    const weights = build.softmax(build.mul(scores, scaleOf(scale, q.shape[3] as number)), -1); // [B,H,Q,2K]
    return { pattern: build.slice(weights, 3, 0, keys), z: build.matMul(weights, values) };
  },
  reference: ({ q, k, v, head, gates, parameters }, { scale }) => {
    const factor = parameters["factor"][head];
    const scaled = (rows: typeof k): number[][] => rows.map((row) => row.map((x) => factor * x));
    const keys = [...k, ...scaled(gates["earlierKeys"])];
    const values = [...v, ...scaled(gates["earlierValues"])];
    const weights = q.map((query) => softmaxRow(keys.map((key) => scaleOf(scale, query.length) * dot(query, key))));
    return {
      pattern: weights.map((row) => row.slice(0, k.length)),
      z: weights.map((row) => v[0].map((_, e) => values.reduce((sum, value, j) => sum + row[j] * value[e], 0))),
    };
  },
});
