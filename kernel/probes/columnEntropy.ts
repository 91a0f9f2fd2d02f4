import { build } from "../graph/index.js";
import { fromQueries, seeingQueries, type Probe } from "../models/index.js";
import { checkOptions, Tensor } from "../tensor/index.js";
import { overLayers, ratio, timesLog } from "./parts/attention.js";

export interface ColumnEntropyOptions {
  /** Divides by the logarithm of the number of queries that may see the key: 1 is received evenly; default false. */
  readonly relative?: boolean;
}

/**
 * How evenly each key is attended to by the real queries.
 *
 *   H[k] = −Σ_q c[q] ln c[q] = ln S − Σ_q A[q,k] ln A[q,k] / S, c = A[:,k] / S, S = Σ_q A[q,k]
 *   relative: H[k] / ln(queries at or after k)
 *
 * Shapes   [B,L,H,K]
 * Units    nats; none where relative
 * Range    0 for a key without mass, and relative for the last key
 * Source   arXiv:2410.13835, its code
 */
export function columnEntropy(options: ColumnEntropyOptions = {}): Probe {
  checkOptions("columnEntropy", options, ["relative"]);
  const { relative = false } = options;
  return {
    name: relative ? "columnEntropy, relative" : "columnEntropy",
    measure: (site) => {
      const { batch, model, real, feed } = site;
      const counts = seeingQueries(batch, model.causal);
      const logs = new Tensor(
        "float32",
        counts.shape,
        counts.data.map((count) => Math.log(count)),
      );
      return overLayers(site, "attn.pattern", (pattern) => {
        const received = fromQueries(pattern, real); // [B,H,K]
        const isSome = build.greater(received, 0);
        const total = build.log(build.where(isSome, received, 1));
        const own = ratio(fromQueries(timesLog(pattern), real), received);
        const entropy = build.where(isSome, build.maximum(build.sub(total, own), 0), 0);
        return relative ? ratio(entropy, build.unsqueeze(feed("log seeing", logs, real.shape), [1])) : entropy;
      });
    },
  };
}
