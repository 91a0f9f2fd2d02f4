import { build } from "../graph/index.js";
import type { Address, GraphEdit } from "../models/index.js";
import { checkOptions } from "../tensor/index.js";
import { checkNumber, number } from "./parts/heads.js";
import { atTokens } from "./parts/tokens.js";
import type { TokenSet } from "../models/index.js";

export interface ScaleOptions {
  readonly at: Address;
  readonly factor: number;
  /** Where; at every position when left out. */
  readonly tokens?: TokenSet;
}

/**
 * Multiplies an activation by a number.
 *
 *   x′ = factor · x
 */
export function scale(options: ScaleOptions): GraphEdit {
  checkOptions("scale", options, ["at", "factor", "tokens"]);
  const { at, factor, tokens } = options;
  checkNumber("scale", "factor", factor, "a number", () => true);
  return {
    name: "scale",
    at: [at],
    edit: (x, site) => atTokens("scale", site, tokens, x, build.mul(x, number(site, "factor", factor))),
  };
}
