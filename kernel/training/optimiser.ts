import type { Value } from "../graph/index.js";
import { OptionError } from "../tensor/index.js";

/** What one update reads; every value is a block of numbers [N], or a scalar. */
export interface UpdateTerms {
  readonly weights: Value;
  /** Derivatives of the loss. */
  readonly slopes: Value;
  /** Running values by the names in `slots`, 0 before the first step. */
  readonly slots: Readonly<Record<string, Value>>;
  readonly rate: Value;
  readonly decay: Value;
  /** The numbers of `scalars`. */
  readonly scalars: Readonly<Record<string, Value>>;
}

/** A rule by which slopes change weights. */
export interface Optimiser {
  readonly name: string;
  /** All that it was given, for the record of a run. */
  readonly options: Readonly<Record<string, number | boolean>>;
  readonly rate: number;
  readonly weightDecay: number;
  readonly slots: readonly string[];
  /** Numbers that depend on the step alone, computed in float64; steps count from 1. */
  readonly scalars: (step: number) => Readonly<Record<string, number>>;
  readonly update: (terms: UpdateTerms) => {
    readonly weights: Value;
    readonly slots: Readonly<Record<string, Value>>;
  };
}

/** A number in low … high, both ends as told; throws OptionError otherwise. */
export function numberWithin(
  place: string,
  name: string,
  x: number,
  [low, high]: readonly [number, number],
  isOpen = false,
): number {
  if (typeof x === "number" && x >= low && (isOpen ? x < high : x <= high)) return x;
  throw new OptionError(`${place}: ${name} must be a number in ${low} … ${high}, got ${String(x)}`);
}
