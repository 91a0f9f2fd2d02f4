import type { Value } from "../../graph/index.js";

/** Whether any of some values is computed from any of others; what goes through `barrier` alone does not count. */
export function dependsOn(values: readonly Value[], sources: readonly Value[], barrier?: Value): boolean {
  const seen = new Set<Value>(values);
  // A set is walked in the order of insertion, what is added on the way included.
  for (const each of seen) if (each !== barrier) each.inputs.forEach((x) => seen.add(x));
  return sources.some((source) => seen.has(source));
}
