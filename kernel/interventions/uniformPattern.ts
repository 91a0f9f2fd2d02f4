import { build } from "../graph/index.js";
import type { GraphEdit } from "../models/index.js";
import { checkOptions } from "../tensor/index.js";
import { inHeads, layersAt, type HeadChoice } from "./parts/heads.js";
import { isHidden, scoresAddress } from "./parts/scores.js";

/**
 * Spreads attention evenly over the keys that a query sees.
 *
 *   A′[q,k] = m_q · visible[q,k] / Σ_k visible[q,k], with m_q the row's mass before
 *
 * Range    a row without any visible key is 0
 * Source   what arXiv:2404.15574's code calls masking a head; it is not a zero output
 */
export function uniformPattern(options: HeadChoice = {}): GraphEdit {
  checkOptions("uniformPattern", options, ["layer", "head"]);
  const { layer, head } = options;
  return {
    name: "uniformPattern",
    at: layersAt("attn.pattern", layer),
    edit: (pattern, site) => {
      const visible = build.cast(build.not(isHidden(site.at(scoresAddress(site.address)))), "float32");
      const count = build.reduceSum(visible, [3], true);
      const share = build.div(visible, build.where(build.greater(count, 0), count, 1));
      const spread = build.mul(share, build.reduceSum(pattern, [3], true));
      return inHeads("uniformPattern", site, head, pattern, spread);
    },
  };
}
