import type { Tensor } from "../../tensor/index.js";
import { medianSize } from "./median.js";

/** What is kept of one state of the residual stream of one prompt: some numbers per token. */
export interface ResidualState {
  /** ‖h_t‖₂ by token. */
  readonly norms: Float64Array;
  /** cos(h_t, h_0) by token; 0 where one of them is 0. */
  readonly cosines: Float64Array;
  /** Of all numbers of the state, those that are out of all proportion, token by token. */
  readonly massive: readonly Outlier[];
}

/** One number of a state that is out of all proportion. */
export interface Outlier {
  readonly position: number;
  readonly dimension: number;
  readonly value: number;
  /** The median magnitude of the whole state. */
  readonly median: number;
}

/** An outlier of the residual stream. */
export interface MassiveActivation extends Outlier {
  /** After which block; −1 is what the first block reads. */
  readonly layer: number;
}

/**
 * Measures one state of the residual stream where it lies: nothing of its size is made.
 *
 * Shapes   state [1,Q,M]; `tokens`: the positions that count, in order
 */
export function residualState({ data, shape }: Tensor, tokens: readonly number[]): ResidualState {
  const width = shape[2];
  const all = data instanceof Float32Array ? data : Float32Array.from(data, Number);
  const rows = tokens.map((t) => all.subarray(t * width, (t + 1) * width));
  const squares = rows.map((h) => dot(h, h));
  const norms = Float64Array.from(squares, Math.sqrt);
  const cosines = Float64Array.from(rows, (h, t) => {
    const size = norms[t] * norms[0];
    return size === 0 ? 0 : dot(h, rows[0]) / size;
  });
  return { norms, cosines, massive: outliers(rows) };
}

function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

/**
 * Massive activations of one state, [token][dimension].
 *
 *   |x| > 100 and |x| > 1000 · median |x| over all tokens and dimensions of the state
 *
 * Source   arXiv:2402.17762 §2 ("about 1000 times"; its code prints the top three and the median only)
 */
export function outliers(rows: readonly Float32Array[]): readonly Outlier[] {
  const median = medianSize(rows);
  const bound = Math.max(100, 1000 * median);
  const found: Outlier[] = [];
  rows.forEach((h, position) => {
    for (let dimension = 0; dimension < h.length; dimension++) {
      const value = h[dimension];
      if (Math.abs(value) > bound) found.push({ position, dimension, value, median });
    }
  });
  return found;
}
