import { nearestName } from "./nearest.js";

/** Shapes that do not fit together. */
export class ShapeError extends Error {
  override readonly name: string = "ShapeError";
}

/** An option, argument or name that is not one of those known. */
export class OptionError extends Error {
  override readonly name: string = "OptionError";
}

/** Data or a file that breaks its own format. */
export class FormatError extends Error {
  override readonly name: string = "FormatError";
}

/** Something valid that this version cannot do. */
export class UnsupportedError extends Error {
  override readonly name: string = "UnsupportedError";
}

/** The engine gave up: not enough memory, a failed run, or an interrupt. */
export class EngineError extends Error {
  override readonly name: string = "EngineError";
}

/**
 * The tail `; did you mean "…"?; known: …` of an error message about a name.
 *
 * Range    at most 24 names are listed, then their number
 */
export function knownNames(got: string, known: readonly string[]): string {
  const nearest = nearestName(got, known);
  const shown = known.length > 24 ? [...known.slice(0, 24), `… (${known.length} in all)`] : known;
  const guess = nearest === undefined ? "" : `; did you mean "${nearest}"?`;
  return known.length === 0 ? guess : `${guess}; known: ${shown.join(", ")}`;
}

/**
 * Holds an options object to its known keys.
 *
 * Throws   OptionError on a key that is not known
 */
export function checkOptions(place: string, options: object, known: readonly string[]): void {
  for (const key of Object.keys(options)) {
    if (!known.includes(key)) throw new OptionError(`${place}: unknown option "${key}"${knownNames(key, known)}`);
  }
}
