import { build } from "../graph/index.js";
import type { Address, GraphEdit } from "../models/index.js";
import { checkOptions } from "../tensor/index.js";

export interface IdentityOptions {
  readonly at: Address;
}

/**
 * Leaves an activation as it is: a run with it must equal a run without it, bit for bit.
 *
 *   x′ = x
 */
export function identity(options: IdentityOptions): GraphEdit {
  checkOptions("identity", options, ["at"]);
  return { name: "identity", at: [options.at], edit: (x) => build.apply("Identity", [x]) };
}
