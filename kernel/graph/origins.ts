import type { Program } from "./program.js";
import type { Attributes, Value } from "./value.js";

/**
 * What each value of a program is called in messages: its label, or else that of the value it is used for.
 *
 * Range    "graph" where nothing is labelled
 */
export function originsOf({ values }: Pick<Program, "values">): ReadonlyMap<Value, string> {
  const origins = new Map<Value, string>();
  for (const value of [...values].reverse()) {
    const origin = value.label ?? origins.get(value) ?? "graph";
    origins.set(value, origin);
    for (const x of value.inputs) if (!origins.has(x)) origins.set(x, origin);
  }
  return origins;
}

// Kept by the attributes, which every copy of a value shares: copies carry a label or merged operands.
const places = new WeakMap<Attributes, Error>();

/** Notes the line at which a value is made. */
export function markPlace({ op, attributes }: Value): void {
  places.set(attributes, new Error(`${op} was made here`));
}

/** An error whose stack names the line that made a value; undefined for a leaf. */
export function placeOf({ attributes }: Value): Error | undefined {
  return places.get(attributes);
}
