import { mechanism, type Mechanism } from "../mechanism.js";

/** Something that every mechanism of its kind must keep. */
export interface Law {
  readonly name: string;
  /** What is wrong, with the figure; undefined where it holds; `"not asked"` where it does not concern the mechanism. */
  readonly check: (unit: Mechanism) => string | undefined;
}

/** What a law says of a mechanism that it does not concern. */
export const notAsked = "not asked";

/** The mechanism, and the same with each set of options of `alsoAsked` as its defaults. */
export function variantsOf(unit: Mechanism): readonly Mechanism[] {
  const { alsoAsked = [] } = unit;
  return [unit, ...alsoAsked.map((options) => mechanism({ ...unit, defaults: { ...unit.defaults, ...options } }))];
}

/** Largest difference over the largest wanted size, at least 1; NaN counts as infinite. */
export function distance(got: ArrayLike<number>, wanted: ArrayLike<number>): number {
  if (got.length !== wanted.length) return Infinity;
  let [scale, error] = [1, 0];
  for (let i = 0; i < wanted.length; i++) {
    const apart = Math.abs(got[i] - wanted[i]);
    scale = Math.max(scale, Math.abs(wanted[i]));
    error = Math.max(error, Number.isNaN(apart) ? Infinity : apart);
  }
  return error / scale;
}

/** A complaint where two lists are further apart than they may be. */
export function apart(
  what: string,
  got: ArrayLike<number>,
  wanted: ArrayLike<number>,
  tolerance: number,
): string | undefined {
  const error = distance(got, wanted);
  return error <= tolerance ? undefined : `${what} differs by ${error.toPrecision(3)}, more than ${tolerance}`;
}
