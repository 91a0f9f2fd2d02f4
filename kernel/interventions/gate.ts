import { build } from "../graph/index.js";
import type { GraphEdit } from "../models/index.js";
import { checkOptions } from "../tensor/index.js";
import { checkNumber, inHeads, layersAt, number, type HeadChoice } from "./parts/heads.js";

export interface GateOptions extends HeadChoice {
  /** 1 leaves a head as it is, 0 takes it out. */
  readonly gate: number;
}

/**
 * Multiplies the outputs of heads by a gate.
 *
 *   z′ = ξ · z
 *
 * Source   the mask variables ξ of arXiv:1905.10650 §2.2
 */
export function gate(options: GateOptions): GraphEdit {
  checkOptions("gate", options, ["layer", "head", "gate"]);
  const { layer, head, gate: factor } = options;
  checkNumber("gate", "gate", factor, "a number", () => true);
  return {
    name: "gate",
    at: layersAt("attn.z", layer),
    edit: (z, site) => inHeads("gate", site, head, z, build.mul(z, number(site, "gate", factor))),
  };
}
