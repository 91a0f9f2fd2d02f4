import { OptionError } from "./errors.js";

/** A whole number of at least `least`; throws OptionError otherwise. */
export function wholeNumber(place: string, name: string, x: unknown, least = 1): number {
  if (Number.isSafeInteger(x) && (x as number) >= least) return x as number;
  throw new OptionError(`${place}: ${name} must be a whole number of at least ${least}, got ${String(x)}`);
}
