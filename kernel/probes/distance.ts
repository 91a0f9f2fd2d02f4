import { build } from "../graph/index.js";
import type { Probe, TokenSet } from "../models/index.js";
import { checkOptions } from "../tensor/index.js";
import { overLayers, positions, ratio, without } from "./parts/attention.js";

export interface DistanceOptions {
  /** Keys that are left out of mean and variance: `[0]` for the mass that is not on the first token. */
  readonly without?: TokenSet;
}

/**
 * How far a head looks: mean and variance of |q − k|, weighted by its mass, over all real queries.
 *
 *   μ = Σ_{q,k} A[q,k] |q − k| / Σ A, σ² = Σ A (|q − k| − μ)² / Σ A
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
      const order = positions(site);
      const apart = build.abs(build.sub(build.unsqueeze(order, [1]), build.unsqueeze(order, [0]))); // [Q,K]
      return overLayers(site, "attn.pattern", (pattern) => {
        const mass = build.mul(without(name, site, pattern, keys), build.unsqueeze(site.real, [1, 3]));
        const total = build.reduceSum(mass, [2, 3], true);
        const mean = ratio(build.reduceSum(build.mul(mass, apart), [2, 3], true), total);
        const off = build.sub(apart, mean);
        const variance = ratio(build.reduceSum(build.mul(mass, build.mul(off, off)), [2, 3], true), total);
        return build.squeeze(build.concat([mean, variance], 3), [2]);
      });
    },
  };
}
