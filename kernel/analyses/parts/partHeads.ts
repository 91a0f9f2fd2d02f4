import type { Blueprint } from "../../models/index.js";

/** How many heads of queries, keys or values a model has. */
export function partHeads(
  { heads, kvHeads = heads, valueHeads = kvHeads }: Pick<Blueprint, "heads" | "kvHeads" | "valueHeads">,
  part: "q" | "k" | "v",
): number {
  return { q: heads, k: kvHeads, v: valueHeads }[part];
}
