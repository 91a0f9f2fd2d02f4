import { checkOptions, OptionError, random, showWith, Tensor, wholeNumber } from "../tensor/index.js";

export interface LinearRegressionOptions {
  /** Numbers in each x; default 5. */
  readonly dims?: number;
  /** Pairs (x, y) in a row; default 40. */
  readonly pairs?: number;
  /** Variance of what is added to each y; default 0.1. */
  readonly noise?: number;
  /** Default 0. */
  readonly seed?: number;
}

/** Rows side by side. */
export interface RegressionBatch {
  /** [batch, pairs + 1, dims + 1]: x and y of each pair; last the x that is asked about, with 0 for its y. */
  readonly pairs: Tensor<"float32">;
  /** [batch]: the y of the last x. */
  readonly answer: Tensor<"float32">;
}

/** A seeded source of rows, each with a linear function of its own; shows some of them. */
export class LinearRegression {
  readonly dims: number;
  readonly pairs: number;
  readonly noise: number;
  readonly seed: number;

  constructor(options: Required<LinearRegressionOptions>) {
    this.dims = options.dims;
    this.pairs = options.pairs;
    this.noise = options.noise;
    this.seed = options.seed;
    Object.freeze(this);
  }

  /**
   * The error of one step of gradient descent of the best size, from 0: what attention that only averages pairs can reach.
   *
   *   σ² + 1 − 1 / (1 + (d + 1 + d·σ²) / L)
   *
   * Source   arXiv:2503.12734, its predictor "debiased gradient descent", for L pairs
   */
  get oneStepError(): number {
    const { dims, pairs, noise } = this;
    return noise + 1 - 1 / (1 + (dims + 1 + dims * noise) / pairs);
  }

  /** Batch `step`, always the same. */
  batch(step: number, size: number): RegressionBatch {
    const { dims, pairs, noise, seed } = this;
    const stream = random(seed).fork("linearRegression").fork(step);
    const rows = pairs + 1;
    const slopes = stream.fork("slopes").normal([size, dims], { deviation: 1 / Math.sqrt(dims) }).data as Float32Array;
    const x = stream.fork("x").normal([size, rows, dims]).data as Float32Array;
    const added = stream.fork("noise").normal([size, rows], { deviation: Math.sqrt(noise) }).data as Float32Array;
    const out = new Float32Array(size * rows * (dims + 1));
    const answer = new Float32Array(size);
    for (let row = 0; row < size * rows; row++) {
      const b = Math.floor(row / rows);
      let y = added[row];
      for (let i = 0; i < dims; i++) {
        out[row * (dims + 1) + i] = x[row * dims + i];
        y += slopes[b * dims + i] * x[row * dims + i];
      }
      if (row % rows === pairs) answer[b] = y;
      else out[row * (dims + 1) + dims] = y;
    }
    return { pairs: new Tensor("float32", [size, rows, dims + 1], out), answer: new Tensor("float32", [size], answer) };
  }

  /** Some rows as a reader would want to see them. */
  describe(count = 2): string {
    const { dims, pairs, noise, seed } = this;
    const { pairs: rows, answer } = this.batch(0, count);
    const number = (x: number): string => x.toFixed(2);
    const x = (b: number, t: number): string =>
      Array.from({ length: dims }, (_, i) => number(rows.item(b, t, i))).join(" ");
    const lines = Array.from({ length: count }, (_, b) => {
      const shown = [0, 1].map((t) => `(${x(b, t)}) → ${number(rows.item(b, t, dims))}`).join("   ");
      return `  ${shown}   …   (${x(b, pairs)}) → ? (${number(answer.item(b))})`;
    });
    return [`linearRegression: ${pairs} pairs of ${dims} numbers and one, noise ${noise}, seed ${seed}`, ...lines].join(
      "\n",
    );
  }
}

showWith(LinearRegression.prototype, (task) => ({ "text/plain": task.describe() }));

/**
 * Pairs (x, y) of a linear function that is another in each row, and one x whose y is asked for.
 *
 *   x ~ N(0, 1)    β ~ N(0, 1/d)    y = β·x + N(0, σ²)
 *
 * Source   arXiv:2503.12734 §2
 */
export function linearRegression(options: LinearRegressionOptions = {}): LinearRegression {
  checkOptions("linearRegression", options, ["dims", "pairs", "noise", "seed"]);
  const { noise = 0.1 } = options;
  if (!(noise >= 0 && Number.isFinite(noise)))
    throw new OptionError(`linearRegression: noise must be a number of at least 0, got ${String(noise)}`);
  return new LinearRegression({
    dims: wholeNumber("linearRegression", "dims", options.dims ?? 5),
    pairs: wholeNumber("linearRegression", "pairs", options.pairs ?? 40),
    noise,
    seed: wholeNumber("linearRegression", "seed", options.seed ?? 0, 0),
  });
}
