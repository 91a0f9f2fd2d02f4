import type { GraphEdit } from "../models/index.js";
import { checkOptions } from "../tensor/index.js";
import { inHeads, layersAt, type HeadChoice } from "./parts/heads.js";

/**
 * Sets the queries of heads to zero, before any norm or turning: what is left of the scores is their bias.
 * Without a position bias that is attention spread evenly over the visible keys, not an output of zero.
 *
 *   q′ = 0
 */
export function zeroQ(options: HeadChoice = {}): GraphEdit {
  checkOptions("zeroQ", options, ["layer", "head"]);
  const { layer, head } = options;
  return {
    name: "zeroQ",
    at: layersAt("attn.q", layer),
    edit: (q, site) => inHeads("zeroQ", site, head, q, 0),
  };
}
