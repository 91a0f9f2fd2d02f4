import type { Value } from "../graph/index.js";
import { build } from "../graph/index.js";
import type { EditSite, GraphEdit } from "../models/index.js";
import { meanReceived } from "../models/index.js";
import { checkOptions, Tensor } from "../tensor/index.js";
import { checkNumber, inHeads, layersAt, number, type HeadChoice } from "./parts/heads.js";
import { redistributed } from "./parts/redistribute.js";

export interface ActOptions extends HeadChoice {
  /** What a sink's attention is multiplied by; default 0.4. */
  readonly beta?: number;
  /** A key is a sink where its mean attention over the queries that see it is above this; default 0.1. */
  readonly threshold?: number;
}

/**
 * Takes attention from all sinks but the first, and gives it to the other keys in proportion.
 *
 *   α_k = Σ_{q real, q ≥ k} A[q,k] / Σ_{q real, q ≥ k} 1 · S = {k : α_k > threshold} without its first key
 *   A′[q,k] = β A[q,k] for k ∈ S, else A[q,k] · (1 + (1 − β) Σ_S A[q] / Σ_{not S} A[q])
 *
 * Range    rows keep their mass; a row with no mass outside of S stays as it is
 * Source   arXiv:2406.15765; threshold and first row as its code has them (the paper scales the threshold by the length)
 * Differs  the first found sink is left alone whatever its position, and counts as a key that is given mass, as in the code;
 *          the code's layers 2 – 30 and its heads chosen on data are arguments here
 */
export function act(options: ActOptions = {}): GraphEdit {
  checkOptions("act", options, ["layer", "head", "beta", "threshold"]);
  const { layer, head, beta = 0.4, threshold = 0.1 } = options;
  checkNumber("act", "beta", beta, "a number in 0 … 1", (x) => x >= 0 && x <= 1);
  checkNumber("act", "threshold", threshold, "a number in 0 … 1", (x) => x >= 0 && x <= 1);
  return {
    name: "act",
    at: layersAt("attn.pattern", layer),
    edit: (pattern, site) => {
      const received = build.unsqueeze(meanReceived(pattern, site), [2]); // [B,H,1,K]
      const isSink = build.greater(received, number(site, "threshold", threshold));
      const sinks = build.and(isSink, build.not(isFirst(isSink, site)));
      const calibrated = redistributed(pattern, sinks, build.not(sinks), number(site, "beta", beta));
      return inHeads("act", site, head, pattern, calibrated);
    },
  };
}

/** Whether a key is the first for which `holds`. Shapes: [B,H,1,K] → [B,H,1,K]. */
function isFirst(holds: Value, { batch, feed, real }: EditSite): Value {
  const { length } = batch;
  const countdown = new Tensor(
    "float32",
    [length],
    Float32Array.from({ length }, (_, k) => length - k),
  );
  const left = build.mul(build.cast(holds, "float32"), feed("countdown", countdown, [real.shape[1]]));
  return build.and(holds, build.equal(left, build.reduceMax(left, [3], true)));
}
