import type { Address, GraphEdit } from "../models/index.js";
import type { TokenSet } from "../models/index.js";
import { checkOptions, type Tensor } from "../tensor/index.js";
import { atTokens } from "./parts/tokens.js";

export interface ReplaceOptions {
  readonly at: Address;
  /** Of the activation's shape in this run, such as what another run has at the same address. */
  readonly with: Tensor;
  /** Where; at every position when left out: what computes the activation is then not computed at all. */
  readonly tokens?: TokenSet;
}

/**
 * Puts a given tensor in the place of an activation: the step of activation patching.
 *
 *   x′ = with
 *
 * Throws   ShapeError at the run unless the tensor has the activation's shape
 */
export function replace(options: ReplaceOptions): GraphEdit {
  checkOptions("replace", options, ["at", "with", "tokens"]);
  const { at, with: other, tokens } = options;
  return {
    name: "replace",
    at: [at],
    edit: (x, site) => atTokens("replace", site, tokens, x, site.feed("with", other, x.shape)),
  };
}
