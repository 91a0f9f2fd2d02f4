import type { Run } from "../../models/index.js";

/** The numbers of one token, as the run holds them. */
export type Numbers = Float32Array | Float64Array;

/** The residual stream of one prompt: state 0 is what the first block reads, state l + 1 what block l leaves. */
export interface ResidualStates {
  /** By state, [token][dimension]. */
  readonly states: readonly (readonly Numbers[])[];
  /** ‖h‖₂ by state and token. */
  readonly norms: readonly (readonly number[])[];
}

/** The residual stream of a run of one prompt that captured it: views of what the run holds, no copies. */
export function residualStates(run: Run, layers: number, length: number): ResidualStates {
  const addresses = ["blocks.0.resid_pre", ...Array.from({ length: layers }, (_, l) => `blocks.${l}.resid_post`)];
  const states = addresses.map((address) => {
    const state = run.at(address).slice(0);
    const width = state.shape[1];
    const all = state.data instanceof Float32Array ? state.data : state.numbers();
    return Array.from({ length }, (_, t) => all.subarray(t * width, (t + 1) * width));
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
    const median = medianSize(tokens);
    const bound = Math.max(100, 1000 * median);
    const found: MassiveActivation[] = [];
    tokens.forEach((h, position) =>
      h.forEach((value, dimension) => {
        if (Math.abs(value) > bound) found.push({ layer: state - 1, position, dimension, value, median });
      }),
    );
    return found;
  });
}

/** The middle one of all magnitudes, or the mean of the two middle ones. */
export function medianSize(rows: readonly Numbers[]): number {
  const sizes = new Float64Array(rows.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const row of rows) {
    sizes.set(row, at);
    at += row.length;
  }
  for (let i = 0; i < sizes.length; i++) sizes[i] = Math.abs(sizes[i]);
  sizes.sort();
  const middle = sizes.length >> 1;
  return sizes.length % 2 === 1 ? sizes[middle] : (sizes[middle - 1] + sizes[middle]) / 2;
}
