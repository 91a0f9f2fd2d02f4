import { OptionError, random, wholeNumber } from "../tensor/index.js";

/** How the next token is chosen. */
export interface SamplingOptions {
  /** 0, the default, takes the most likely token; above, logits are divided by it and a token is drawn. */
  readonly temperature?: number;
  /** Draws from this many of the most likely tokens only; all when left out. */
  readonly topK?: number;
  /** The same seed draws the same tokens: 0. */
  readonly seed?: number;
}

/** Index of the largest element; the first of equals. */
function largest(row: ArrayLike<number>): number {
  let best = 0;
  for (let i = 1; i < row.length; i++) if (row[i] > row[best]) best = i;
  return best;
}

/** Draws an index with probability softmax(row / temperature), from the `topK` largest. */
function drawn(row: ArrayLike<number>, temperature: number, topK: number, share: number): number {
  const ids = Array.from(row, (_, id) => id).sort((a, b) => row[b] - row[a] || a - b);
  const kept = ids.slice(0, topK);
  const weights = kept.map((id) => Math.exp((row[id] - row[kept[0]]) / temperature));
  let left = share * weights.reduce((sum, weight) => sum + weight, 0);
  const at = weights.findIndex((weight) => (left -= weight) < 0);
  return kept[at < 0 ? 0 : at];
}

/** Chooses the next token of a prompt at a step from the logits. */
export type Chooser = (row: ArrayLike<number>, prompt: number, step: number) => number;

/**
 * The chooser that the options ask for. Each prompt and step draws from a stream of its own, so that a prompt's tokens
 * do not depend on those beside it.
 *
 * Throws   OptionError on values out of range, and on `topK` or `seed` where nothing is drawn
 */
export function chooserOf({ temperature = 0, topK, seed }: SamplingOptions): Chooser {
  if (!Number.isFinite(temperature) || temperature < 0) {
    throw new OptionError(`generate: temperature must be a number of at least 0, got ${String(temperature)}`);
  }
  if (topK !== undefined) wholeNumber("generate", "topK", topK);
  if (temperature === 0) {
    if (topK === undefined && seed === undefined) return largest;
    throw new OptionError(`generate: ${topK === undefined ? "seed" : "topK"} needs a temperature above 0`);
  }
  const stream = random(seed ?? 0);
  return (row, prompt, step) => {
    const share = stream.fork(prompt).fork(step).uniform([1], { dtype: "float64" }).item(0);
    return drawn(row, temperature, topK ?? row.length, share);
  };
}
