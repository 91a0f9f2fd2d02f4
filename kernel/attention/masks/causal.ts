import type { Mask } from "../mask.js";

/** A query sees itself and what came before. */
export function causal(): Mask {
  return { name: "causal", sees: (query, key) => key <= query };
}
