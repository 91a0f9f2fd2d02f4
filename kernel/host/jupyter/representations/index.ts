import { errors } from "./errors.js";
import { ownMethods } from "./methods.js";
import { numbers } from "./numbers.js";
import { pictures } from "./pictures.js";
import { records } from "./records.js";
import type { Kind, Representation } from "./representation.js";
import { tree } from "./tree.js";

/** Asked in this order; the first that knows a value represents it. */
export const kinds: Readonly<Record<string, Kind>> = { pictures, ownMethods, errors, numbers, records, tree };

/**
 * A richer form of a value that does not show itself. Strings, numbers and functions have none, nor has what fits
 * one line of text.
 *
 * Throws   what a value's own method throws
 */
export function represent(value: unknown, textOf: (value: unknown) => string): Representation | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  for (const kind of Object.values(kinds)) {
    const made = kind.represent(value, textOf);
    if (made) return made;
  }
  return undefined;
}
