import type { GraphEdit } from "../models/index.js";
import { checkOptions } from "../tensor/index.js";
import { inHeads, layersAt, type HeadChoice } from "./parts/heads.js";

/**
 * Sets attention patterns to zero: heads read nothing, and no mass is put elsewhere.
 *
 *   A′ = 0
 */
export function zeroPattern(options: HeadChoice = {}): GraphEdit {
  checkOptions("zeroPattern", options, ["layer", "head"]);
  const { layer, head } = options;
  return {
    name: "zeroPattern",
    at: layersAt("attn.pattern", layer),
    edit: (pattern, site) => inHeads("zeroPattern", site, head, pattern, 0),
  };
}
