import { checkOptions, wholeNumber } from "../tensor/index.js";
import { TokenTask } from "./parts/tokenTask.js";

export interface ReversalOptions {
  /** Letters to choose from; default 16. */
  readonly vocabulary?: number;
  /** Letters per row; default 8. */
  readonly count?: number;
  /** Default 0. */
  readonly seed?: number;
}

/**
 * A string, then the same string backwards: each answer stands at another distance.
 *
 *   input    a b c | c b
 *   predict  · · · c b a
 *
 * Source   the string task "reverse" of RASP, arXiv:2106.06981 §5
 */
export function reversal(options: ReversalOptions = {}): TokenTask {
  checkOptions("reversal", options, ["vocabulary", "count", "seed"]);
  const vocabulary = wholeNumber("reversal", "vocabulary", options.vocabulary ?? 16, 2);
  const count = wholeNumber("reversal", "count", options.count ?? 8);
  return new TokenTask({
    name: "reversal",
    vocabulary: ["|", ...Array.from({ length: vocabulary }, (_, i) => letter(i))],
    length: 2 * count,
    seed: wholeNumber("reversal", "seed", options.seed ?? 0, 0),
    row: (draws) => {
      const given = Array.from({ length: count }, () => 1 + draws.below(vocabulary));
      const back = given.toReversed();
      return { ids: [...given, 0, ...back.slice(0, -1)], targets: [...given.map(() => -1), ...back] };
    },
  });
}

/** a … z, then a1, b1, … */
function letter(i: number): string {
  return `${String.fromCharCode(97 + (i % 26))}${i < 26 ? "" : Math.floor(i / 26)}`;
}
