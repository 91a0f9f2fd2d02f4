import { build } from "../../graph/index.js";
import { lengthsOf } from "../lengths.js";
import type { Mechanism } from "../mechanism.js";
import { mechanism, sizesOf } from "../mechanism.js";
import { dot, softmaxRow } from "../reference.js";
import type { Scale } from "../steps.js";
import { perHead, scaleOf } from "../steps.js";

interface ImagePairsOptions {
  readonly scale: Scale;
}

/**
 * Queries of one picture over the keys of two in one softmax, a distraction to train with.
 *
 *   z = softmax(scale · q·[k ; k′]ᵀ) [v ; v′],  k′, v′ of another picture: the gates `otherKeys` and `otherValues`
 *
 * The pattern holds the weights of the picture's own keys.
 *
 * Range    rows sum to at most 1; what is missing is the other picture's
 * Source   pair-wise cross-attention of DCAL, arXiv:2205.02151 §3.3
 */
export const imagePairs: Mechanism<ImagePairsOptions> = mechanism<ImagePairsOptions>({
  name: "imagePairs",
  summary: "queries of one picture over the keys of two, in one softmax",
  source: "arXiv:2205.02151 §3.3",
  rows: [14],
  defaults: { scale: "1/√D" },
  promises: { sees: "all", rows: "at most one", mixesValues: false },
  cost: { time: "2·T²·D", state: "not causal" },
  gates: {
    otherKeys: { per: "keyChannel", range: [-Infinity, Infinity] },
    otherValues: { per: "valueChannel", range: [-Infinity, Infinity] },
  },
  build: ({ q, k, v, gates }, { scale }) => {
    const sizes = sizesOf("imagePairs", { q, k, v });
    const { heads } = sizes;
    const [, keys] = lengthsOf("imagePairs", sizes);
    const all = build.concat([perHead(k, heads), gates["otherKeys"]], 2);
    const scores = build.matMul(q, build.transpose(all, [0, 1, 3, 2]));
    const weights = build.softmax(build.mul(scores, scaleOf(scale, q.shape[3] as number)), -1); // [B,H,Q,2K]
    return {
      pattern: build.slice(weights, 3, 0, keys),
      z: build.matMul(weights, build.concat([perHead(v, heads), gates["otherValues"]], 2)),
    };
  },
  reference: ({ q, k, v, gates }, { scale }) => {
    const factor = scaleOf(scale, q[0].length);
    const [keys, values] = [
      [...k, ...gates["otherKeys"]],
      [...v, ...gates["otherValues"]],
    ];
    const weights = q.map((query) => softmaxRow(keys.map((key) => factor * dot(query, key))));
    return {
      pattern: weights.map((row) => row.slice(0, k.length)),
      z: weights.map((row) => v[0].map((_, e) => values.reduce((sum, value, j) => sum + row[j] * value[e], 0))),
    };
  },
});
