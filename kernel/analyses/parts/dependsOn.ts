import type { Value } from "../../graph/index.js";

/** Whether a value is computed from another one. */
export function dependsOn(value: Value, source: Value): boolean {
  const seen = new Set<Value>([value]);
  // A set is walked in the order of insertion, what is added on the way included.
  for (const each of seen) each.inputs.forEach((x) => seen.add(x));
  return seen.has(source);
}
