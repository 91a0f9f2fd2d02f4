import { build } from "../graph/index.js";
import type { Probe } from "../models/index.js";
import { checkOptions, OptionError, wholeNumber } from "../tensor/index.js";
import { overLayers } from "./parts/attention.js";

export interface TopKeysOptions {
  /** How many keys per query. */
  readonly count: number;
  /** `"keys"`: their positions, int64; `"weights"`: their attention, largest first. */
  readonly give: "keys" | "weights";
}

/**
 * The keys that each query attends to most.
 *
 * Shapes   [B,L,H,Q,count]
 * Throws   ShapeError at the run where there are fewer keys
 */
export function topKeys(options: TopKeysOptions): Probe {
  checkOptions("topKeys", options, ["count", "give"]);
  const { count, give } = options;
  wholeNumber("topKeys", "count", count);
  if (give !== "keys" && give !== "weights") {
    throw new OptionError(`topKeys: give must be "keys" or "weights", got "${String(give)}"`);
  }
  return {
    name: give === "keys" ? "topKeys" : "topKeys weights",
    measure: (site) =>
      overLayers(site, "attn.pattern", (pattern) => {
        const { values, indices } = build.topK(pattern, count, 3);
        return give === "keys" ? indices : values;
      }),
  };
}
