import { checkOptions, OptionError, wholeNumber } from "../tensor/index.js";
import { TokenTask } from "./parts/tokenTask.js";

export interface MatchThreeOptions {
  /** What sums are taken modulo, and how many numbers there are; default 23. */
  readonly modulus?: number;
  /** Numbers per row; default 16. */
  readonly length?: number;
  /** Default 0. */
  readonly seed?: number;
}

/**
 * For each number of a row, whether it and two numbers before it (or itself) add up to 0 modulo p.
 *
 *   input    1 5 3 7 …   modulo 9
 *   predict  n n y y …   3 + 5 + 1 = 9, 7 + 1 + 1 = 9
 *
 * Softmax attention compares tokens two by two; attention over pairs of keys sees three at once.
 *
 * Throws   OptionError where the modulus is 1
 * Source   "Match-3" of arXiv:2306.02896 §4, taken up by arXiv:2310.04064
 * Differs  a number looks at itself and those before it, so that causal mechanisms can learn it
 */
export function matchThree(options: MatchThreeOptions = {}): TokenTask {
  checkOptions("matchThree", options, ["modulus", "length", "seed"]);
  const modulus = wholeNumber("matchThree", "modulus", options.modulus ?? 23);
  if (modulus < 2) throw new OptionError(`matchThree: modulus must be at least 2, got ${modulus}`);
  const length = wholeNumber("matchThree", "length", options.length ?? 16);
  return new TokenTask({
    name: "matchThree",
    vocabulary: [...Array.from({ length: modulus }, (_, i) => String(i)), "n", "y"],
    length,
    parts: ["no", "yes"],
    seed: wholeNumber("matchThree", "seed", options.seed ?? 0, 0),
    row: (draws) => {
      const ids = Array.from({ length }, () => draws.below(modulus));
      const sums = new Set<number>();
      const kinds = ids.map((x, t) => {
        for (let i = 0; i <= t; i++) sums.add((x + ids[i]) % modulus); // pairs of which this is the later one
        return sums.has((modulus - x) % modulus) ? 1 : 0;
      });
      return { ids, targets: kinds.map((kind) => modulus + kind), kinds };
    },
  });
}
