import type { Run } from "../../models/index.js";

/** The residual stream of one prompt: state 0 is what the first block reads, state l + 1 what block l leaves. */
export interface ResidualStates {
  /** By state, [token][dimension]. */
  readonly states: readonly (readonly Float64Array[])[];
  /** ‖h‖₂ by state and token. */
  readonly norms: readonly (readonly number[])[];
}

/** Reads the residual stream of a run of one prompt that captured it. */
export function residualStates(run: Run, layers: number, length: number): ResidualStates {
  const addresses = ["blocks.0.resid_pre", ...Array.from({ length: layers }, (_, l) => `blocks.${l}.resid_post`)];
  const states = addresses.map((address) => {
    const state = run.at(address);
    return Array.from({ length }, (_, t) => state.slice(0, t).numbers());
  });
  return { states, norms: states.map((tokens) => tokens.map((h) => Math.hypot(...h))) };
}

/** One number of the residual stream that is out of all proportion. */
export interface MassiveActivation {
  /** After which block; −1 is what the first block reads. */
  readonly layer: number;
  readonly position: number;
  readonly dimension: number;
  readonly value: number;
  /** The median magnitude of the whole state. */
  readonly median: number;
}

/**
 * Massive activations of each state.
 *
 *   |x| > 100 and |x| > 1000 · median |x| over all tokens and dimensions of the state
 *
 * Source   arXiv:2402.17762 §2 ("about 1000 times"; its code prints the top three and the median only)
 */
export function massiveActivations({ states }: Pick<ResidualStates, "states">): readonly MassiveActivation[] {
  return states.flatMap((tokens, state) => {
    const median = medianOf(tokens.flatMap((h) => Array.from(h, Math.abs)));
    return tokens.flatMap((h, position) =>
      Array.from(h).flatMap((value, dimension) =>
        Math.abs(value) > 100 && Math.abs(value) > 1000 * median
          ? [{ layer: state - 1, position, dimension, value, median }]
          : [],
      ),
    );
  });
}

/** The middle value, or the mean of the two middle ones. */
export function medianOf(xs: readonly number[]): number {
  const sorted = Float64Array.from(xs).sort();
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
