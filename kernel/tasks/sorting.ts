import { checkOptions, wholeNumber } from "../tensor/index.js";
import { TokenTask } from "./parts/tokenTask.js";

export interface SortingOptions {
  /** Numbers to choose from; default 16. */
  readonly vocabulary?: number;
  /** Numbers per row; default 8. */
  readonly count?: number;
  /** Default 0. */
  readonly seed?: number;
}

/**
 * Numbers, then the same numbers in rising order.
 *
 *   input    7 2 9 | 2 7
 *   predict  · · · 2 7 9
 *
 * Source   the sorting task of pointer networks, arXiv:1506.03134 §4, in tokens
 */
export function sorting(options: SortingOptions = {}): TokenTask {
  checkOptions("sorting", options, ["vocabulary", "count", "seed"]);
  const vocabulary = wholeNumber("sorting", "vocabulary", options.vocabulary ?? 16, 2);
  const count = wholeNumber("sorting", "count", options.count ?? 8);
  return new TokenTask({
    name: "sorting",
    vocabulary: ["|", ...Array.from({ length: vocabulary }, (_, i) => String(i))],
    length: 2 * count,
    seed: wholeNumber("sorting", "seed", options.seed ?? 0, 0),
    row: (draws) => {
      const given = Array.from({ length: count }, () => 1 + draws.below(vocabulary));
      const sorted = given.toSorted((a, b) => a - b);
      return {
        ids: [...given, 0, ...sorted.slice(0, -1)],
        targets: [...new Array<number>(count).fill(-1), ...sorted],
      };
    },
  });
}
