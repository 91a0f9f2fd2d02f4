import { build } from "../graph/index.js";
import { meanReceived, type Probe, type TokenSet } from "../models/index.js";
import { checkOptions } from "../tensor/index.js";
import { keptKeys, overKept, overLayers, ratio } from "./parts/attention.js";

export interface MassPerKeyOptions {
  /** Keys that are left out, and the rest of each row normalised again: `[0]` for the share of what is not on the first token. */
  readonly without?: TokenSet;
}

/**
 * The mean attention that each key receives from the queries that may see it: from it, sink curves for every ε.
 *
 *   α_k = Σ_{q real, q ≥ k} A[q,k] / Σ_{q real, q ≥ k} 1, over all real q where attention looks both ways
 *
 * Shapes   [B,L,H,K]
 * Range    0 … 1; the last keys are means over one or two queries; 0 for padding, and for keys that are left out
 * Source   arXiv:2410.10781 eq. 2
 */
export function massPerKey(options: MassPerKeyOptions = {}): Probe {
  checkOptions("massPerKey", options, ["without"]);
  const { without: keys } = options;
  const name = keys === undefined ? "massPerKey" : "massPerKey without";
  return {
    name,
    measure: (site) =>
      overLayers(site, "attn.pattern", (pattern) => {
        if (keys === undefined) return meanReceived(pattern, site);
        const kept = keptKeys(name, site, keys);
        const shares = build.minimum(ratio(1, overKept(pattern, kept)), 1e38); // [B,H,Q], finite where hardly any mass is left
        return build.where(build.unsqueeze(build.greater(kept, 0), [1]), meanReceived(pattern, site, shares), 0);
      }),
  };
}
