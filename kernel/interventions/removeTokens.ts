import type { Value } from "../graph/index.js";
import { build } from "../graph/index.js";
import type { EditSite, GraphEdit } from "../models/index.js";
import type { TokenSet } from "../models/index.js";
import { checkOptions } from "../tensor/index.js";
import { layersAt } from "./parts/heads.js";
import { withoutKeys } from "./parts/withoutKeys.js";
import { inSet, otherTokens } from "./parts/tokens.js";

export interface RemoveTokensOptions {
  readonly tokens: TokenSet;
}

/**
 * Hides tokens from every other token in every layer, as padding is hidden; positions stay as they are.
 *
 *   s′[q,k] = −∞ for k ∈ tokens, q ≠ k
 *
 * Range    what a removed token computes for itself is read by none
 */
export function removeTokens(options: RemoveTokensOptions): GraphEdit {
  checkOptions("removeTokens", options, ["tokens"]);
  const { tokens } = options;
  const cut = (site: EditSite): Value =>
    build.and(build.unsqueeze(inSet("removeTokens", "tokens", site, tokens), [1, 2]), otherTokens(site));
  return {
    name: "removeTokens",
    at: [...layersAt("attn.scores", undefined), ...layersAt("attn.pattern", undefined)],
    edit: (value, site) => withoutKeys("removeTokens", value, cut(site), site, undefined),
  };
}
