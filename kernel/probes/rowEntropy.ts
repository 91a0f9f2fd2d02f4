import type { Value } from "../graph/index.js";
import { build } from "../graph/index.js";
import type { Probe, Site, TokenSet } from "../models/index.js";
import { checkOptions, Tensor } from "../tensor/index.js";
import { keptKeys, overKept, overLayers, ratio, timesLog } from "./parts/attention.js";

export interface EntropyOptions {
  /** Divides by the logarithm of the number of visible keys: 1 is even attention; default false. */
  readonly relative?: boolean;
  /** Keys that are left out, and the rest of the row normalised again: `[0]` for the share that is not on the first token. */
  readonly without?: TokenSet;
}

/**
 * How widely each query attends.
 *
 *   H[q] = −Σ_k A[q,k] ln A[q,k], relative: H[q] / ln n_q, n_q the real keys that q may see
 *
 * Shapes   [B,L,H,Q]
 * Units    nats; none where relative
 * Range    relative 0 … 1, and 0 for a query that sees one key; a row without mass is 0
 * Source   relative: arXiv:2410.13835 (log(q + 1) there, with no padding)
 */
export function rowEntropy(options: EntropyOptions = {}): Probe {
  checkOptions("rowEntropy", options, ["relative", "without"]);
  const { relative = false, without: keys } = options;
  const name = keys === undefined ? "rowEntropy" : "rowEntropy without";
  return {
    name: relative ? `${name}, relative` : name,
    measure: (site) =>
      overLayers(site, "attn.pattern", (pattern) => {
        const entropy = keys === undefined ? ofRows(pattern) : ofRest(pattern, keptKeys(name, site, keys));
        return relative ? ratio(entropy, build.unsqueeze(logVisible(site), [1])) : entropy;
      }),
  };
}

const ofRows = (pattern: Value): Value => build.sub(0, build.reduceSum(timesLog(pattern), [3]));

/** The same of A / m on the keys that are left, m the mass on them: ln m − Σ_k A ln A / m, so that no table is made for it. */
function ofRest(pattern: Value, kept: Value): Value {
  const mass = overKept(pattern, kept);
  const isSome = build.greater(mass, 0);
  const entropy = build.sub(build.log(build.where(isSome, mass, 1)), ratio(overKept(timesLog(pattern), kept), mass));
  return build.where(isSome, build.maximum(entropy, 0), 0);
}

/** ln of the number of real keys that each query may see, [B,Q]. */
function logVisible({ batch: { size, length, attentionMask }, model, feed, real }: Site): Value {
  const logs = new Float32Array(size * length);
  for (let b = 0; b < size; b++) {
    const row = attentionMask.subarray(b * length, (b + 1) * length);
    const all = row.reduce((sum, isReal) => sum + isReal, 0);
    let seen = 0;
    row.forEach((isReal, q) => {
      seen += isReal;
      logs[b * length + q] = Math.log(Math.max(model.causal ? seen : all, 1));
    });
  }
  return feed("log visible", new Tensor("float32", [size, length], logs), real.shape);
}
