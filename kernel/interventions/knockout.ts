import type { Value } from "../graph/index.js";
import { build } from "../graph/index.js";
import type { EditSite, GraphEdit } from "../models/index.js";
import type { TokenSet } from "../models/index.js";
import { checkOptions } from "../tensor/index.js";
import { layersAt, type HeadChoice } from "./parts/heads.js";
import { withoutKeys } from "./parts/withoutKeys.js";
import { inSet } from "./parts/tokens.js";

export interface KnockoutOptions extends HeadChoice {
  /** The queries that are to see nothing of … */
  readonly from: TokenSet;
  /** … these keys. */
  readonly to: TokenSet;
}

/**
 * Cuts attention between two sets of tokens; the rest of each row is normalised again.
 *
 *   s′[q,k] = −∞ for q ∈ from, k ∈ to
 *
 * Range    a row that sees nothing else is 0
 * Source   arXiv:2304.14767 §4
 */
export function knockout(options: KnockoutOptions): GraphEdit {
  checkOptions("knockout", options, ["layer", "head", "from", "to"]);
  const { layer, head, from, to } = options;
  const cut = (site: EditSite): Value =>
    build.and(
      build.unsqueeze(inSet("knockout", "from", site, from), [1, 3]),
      build.unsqueeze(inSet("knockout", "to", site, to), [1, 2]),
    ); // [B,1,Q,K]
  return {
    name: "knockout",
    at: [...layersAt("attn.scores", layer), ...layersAt("attn.pattern", layer)],
    edit: (value, site) => withoutKeys("knockout", value, cut(site), site, head),
  };
}
