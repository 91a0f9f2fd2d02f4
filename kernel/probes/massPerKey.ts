import { meanReceived, type Probe } from "../models/index.js";
import { overLayers } from "./parts/attention.js";

/**
 * The mean attention that each key receives from the queries that may see it: from it, sink curves for every ε.
 *
 *   α_k = Σ_{q real, q ≥ k} A[q,k] / Σ_{q real, q ≥ k} 1, over all real q where attention looks both ways
 *
 * Shapes   [B,L,H,K]
 * Range    0 … 1; the last keys are means over one or two queries; 0 for padding
 * Source   arXiv:2410.10781 eq. 2
 */
export function massPerKey(): Probe {
  return {
    name: "massPerKey",
    measure: (site) => overLayers(site, "attn.pattern", (pattern) => meanReceived(pattern, site)),
  };
}
