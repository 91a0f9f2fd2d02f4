import type { GraphEdit } from "../models/index.js";
import { checkOptions } from "../tensor/index.js";
import { inHeads, layersAt, type HeadChoice } from "./parts/heads.js";

/**
 * Sets the outputs of heads to zero: the slice of what the output projection reads, not of what it writes.
 *
 *   z′ = 0
 *
 * Source   arXiv:1905.10650 §2.3
 * Example  await model.run(prompt, { interventions: [interventions.zeroZ({ layer: 5, head: 1 })] })
 */
export function zeroZ(options: HeadChoice = {}): GraphEdit {
  checkOptions("zeroZ", options, ["layer", "head"]);
  const { layer, head } = options;
  return {
    name: "zeroZ",
    at: layersAt("attn.z", layer),
    edit: (z, site) => inHeads("zeroZ", site, head, z, 0),
  };
}
