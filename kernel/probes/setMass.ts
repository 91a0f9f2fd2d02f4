import { build } from "../graph/index.js";
import { tokenMask, type Probe, type Site, type TokenSet } from "../models/index.js";
import type { Value } from "../graph/index.js";
import { checkOptions } from "../tensor/index.js";
import { overLayers, ratio } from "./parts/attention.js";

export interface SetMassOptions {
  /** What `run.probe` calls it: `"bos"`, `"punctuation"`, `"needle"` … */
  readonly name: string;
  /** The keys. */
  readonly to: TokenSet;
  /** The queries; all when left out. */
  readonly from?: TokenSet;
}

/**
 * The attention that some queries pay to some keys.
 *
 *   mean over q ∈ from of Σ_{k ∈ to} A[q,k]
 *
 * Shapes   [B,L,H]
 * Range    0 … 1; 0 where a prompt has no such query
 */
export function setMass(options: SetMassOptions): Probe {
  checkOptions("setMass", options, ["name", "to", "from"]);
  const { name, to, from = () => true } = options;
  return {
    name,
    measure: (site) => {
      const [queries, keys] = [set("from", from, site), set("to", to, site)];
      const count = build.unsqueeze(build.reduceSum(queries, [1]), [1]);
      const [rows, columns] = [build.unsqueeze(queries, [1, 3]), build.unsqueeze(keys, [1, 3])];
      return overLayers(site, "attn.pattern", (pattern) =>
        ratio(build.reduceSum(build.mul(build.matMul(pattern, columns), rows), [2, 3]), count),
      );
    },
  };

  function set(part: string, tokens: TokenSet, site: Site): Value {
    return build.cast(site.feed(`${name} ${part}`, tokenMask("setMass", tokens, site), ["batch", "query"]), "float32");
  }
}
