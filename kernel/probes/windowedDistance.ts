import { build } from "../graph/index.js";
import type { Probe, TokenSet } from "../models/index.js";
import { checkOptions, OptionError } from "../tensor/index.js";
import { distances, overLayers, without } from "./parts/attention.js";

export interface WindowedDistanceOptions {
  /** Distances count as at most so many tokens; default 10. */
  readonly window?: number;
  /** Keys that are left out: `[0]` for what is not on the first token. Rows are not normalised again. */
  readonly without?: TokenSet;
}

/**
 * The windowed average attention distance of each query: high where a text looks back beyond the phrase that it is in.
 *
 *   WAAD[q] = Σ_k A[q,k] · min(|q − k|, W)
 *
 * Shapes   [B,L,H,Q]
 * Units    tokens
 * Range    0 … W: 0 where a query attends to itself alone
 * Source   arXiv:2510.13554, W = 10
 * Differs  per head; the source averages over the heads of shortest span
 */
export function windowedDistance(options: WindowedDistanceOptions = {}): Probe {
  checkOptions("windowedDistance", options, ["window", "without"]);
  const { window = 10, without: keys } = options;
  if (!(Number.isFinite(window) && window > 0)) {
    throw new OptionError(`windowedDistance: window must be a number above 0, got ${String(window)}`);
  }
  const name = keys === undefined ? "windowedDistance" : "windowedDistance without";
  return {
    name,
    measure: (site) => {
      const near = build.minimum(distances(site), window); // [Q,K]
      return overLayers(site, "attn.pattern", (pattern) =>
        build.reduceSum(build.mul(without(name, site, pattern, keys), near), [3]),
      );
    },
  };
}
