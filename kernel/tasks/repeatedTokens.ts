import { checkOptions, OptionError, random, wholeNumber } from "../tensor/index.js";

export interface RepeatedTokensOptions {
  /** Prompts; default 8. */
  readonly count?: number;
  /** Tokens before they repeat. */
  readonly period: number;
  /** How often the period occurs; default 2. */
  readonly repeats?: number;
  /** Ids are drawn from low … high − 1, each at most once per period. */
  readonly low?: number;
  readonly high: number;
  /** Put before all: the token that the model was trained to see first. */
  readonly first?: number;
  /** Default 0. */
  readonly seed?: number;
}

/** A `ModelInput`. */
export interface RepeatedTokens {
  readonly inputIds: readonly (readonly number[])[];
}

/**
 * Random tokens, repeated: a duplicate head looks `period` back, an induction head `period − 1`.
 *
 *   input  [first] 17 4 9 17 4 9 17 4 9
 *
 * Throws   OptionError where there are fewer ids than the period needs
 * Source   arXiv:2209.11895, "repeated random tokens"
 * Example  repeatedTokens({ period: 25, high: 50257 })
 */
export function repeatedTokens(options: RepeatedTokensOptions): RepeatedTokens {
  checkOptions("repeatedTokens", options, ["count", "period", "repeats", "low", "high", "first", "seed"]);
  const { count = 8, period, repeats = 2, low = 0, high, first, seed = 0 } = options;
  for (const [name, value] of Object.entries({ count, period, repeats })) wholeNumber("repeatedTokens", name, value);
  if (!(high - low >= period)) {
    throw new OptionError(`repeatedTokens: ${period} different ids do not fit into ${low} … ${high - 1}`);
  }
  const inputIds = Array.from({ length: count }, (_, prompt) => {
    const once = distinct(period, high - low, seed, prompt).map((id) => low + id);
    const all = Array.from({ length: repeats }, () => once).flat();
    return first === undefined ? all : [first, ...all];
  });
  return { inputIds };
}

/** Different numbers below a limit, in random order. */
function distinct(count: number, limit: number, seed: number, prompt: number): readonly number[] {
  const stream = random(seed).fork("repeatedTokens").fork(prompt);
  const found = new Set<number>();
  for (let batch = 0; found.size < count; batch++) {
    for (const id of stream
      .fork(batch)
      .integers([2 * count], { high: limit })
      .numbers()) {
      if (found.size < count) found.add(id);
    }
  }
  return [...found];
}
