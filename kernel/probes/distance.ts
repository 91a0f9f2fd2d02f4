import { build, type Value } from "../graph/index.js";
import type { Probe, TokenSet } from "../models/index.js";
import { checkOptions } from "../tensor/index.js";
import { distances, overLayers, ratio, without } from "./parts/attention.js";

export interface DistanceOptions {
  /** Keys that are left out of mean and variance: `[0]` for the mass that is not on the first token. */
  readonly without?: TokenSet;
}

/**
 * How far a head looks: mean and variance of |q − k|, weighted by its mass, over all real queries.
 *
 *   μ = Σ_{q,k} A[q,k] |q − k| / Σ A, σ² = Σ A (|q − k| − μ)² / Σ A; both row by row first, so that nothing cancels:
 *   σ² = Σ_q (V_q + m_q (μ_q − μ)²) / Σ_q m_q, with a row's mass m_q, mean μ_q and Σ_k A (|q − k| − μ_q)² = V_q
 *
 * Shapes   [B,L,H,2]: μ, σ²
 * Units    tokens, tokens²
 * Range    0 where a head puts no mass at all
 */
export function distance(options: DistanceOptions = {}): Probe {
  checkOptions("distance", options, ["without"]);
  const { without: keys } = options;
  const name = keys === undefined ? "distance" : "distance without";
  return {
    name,
    measure: (site) => {
      const apart = distances(site); // [Q,K]
      const real = build.unsqueeze(site.real, [1, 3]);
      return overLayers(site, "attn.pattern", (pattern) => {
        const mass = without(name, site, pattern, keys);
        const overKeys = (x: Value): Value => build.reduceSum(x, [3], true); // [B,H,Q,1]
        const overQueries = (x: Value): Value => build.reduceSum(build.mul(x, real), [2, 3]); // [B,H]
        const row = overKeys(mass);
        const rowMean = ratio(overKeys(build.mul(mass, apart)), row);
        const off = build.sub(apart, rowMean);
        const within = overKeys(build.mul(mass, build.mul(off, off)));
        const total = overQueries(row);
        const mean = ratio(overQueries(build.mul(row, rowMean)), total);
        const shift = build.sub(rowMean, build.unsqueeze(mean, [2, 3]));
        const between = build.mul(row, build.mul(shift, shift));
        const variance = ratio(overQueries(build.add(within, between)), total);
        return build.concat([build.unsqueeze(mean, [2]), build.unsqueeze(variance, [2])], 2);
      });
    },
  };
}
