import { checkOptions, knownNames, OptionError, wholeNumber } from "../tensor/index.js";
import { runningSums } from "./parts/draws.js";
import { bigramCounts, characters } from "./parts/englishBigrams.js";
import { TokenTask } from "./parts/tokenTask.js";

export interface BigramBackcopyOptions {
  /** Tokens per row; default 64. */
  readonly length?: number;
  /** Characters after which the one before them is repeated; default the three most frequent, " ", "e" and "t". */
  readonly triggers?: readonly string[];
  /** Default 0. */
  readonly seed?: number;
}

const first = "<s>";
const triggersByDefault = [" ", "e", "t"];

function triggersOf({ triggers = triggersByDefault }: BigramBackcopyOptions): readonly number[] {
  const all = [...characters];
  return triggers.map((trigger) => {
    if (all.includes(trigger)) return all.indexOf(trigger);
    throw new OptionError(`bigramBackcopy: unknown trigger ${JSON.stringify(trigger)}${knownNames(trigger, all)}`);
  });
}

/**
 * Characters that follow one another as in English, except after a trigger, where the one before it is repeated: a head
 * has to look back after triggers, and has nothing to do elsewhere.
 *
 *   input    <s> a n d t d a e a
 *   predict  ·   n d t d a e a …        after "t" comes "d" again, after "e" comes "a"
 *
 * Parts: `backcopy`, the predictions after a trigger, of loss 0 at best; `bigram`, all others, of loss
 * `bigramFloor` at best.
 *
 * Source   arXiv:2410.13835 §2.1
 * Differs  bigrams of 27 characters of the King James Version; the paper has 67 of Shakespeare
 */
export function bigramBackcopy(options: BigramBackcopyOptions = {}): TokenTask {
  checkOptions("bigramBackcopy", options, ["length", "triggers", "seed"]);
  const length = wholeNumber("bigramBackcopy", "length", options.length ?? 64, 3);
  const triggers = triggersOf(options);
  const follow = bigramCounts.map(runningSums);
  const start = runningSums(
    bigramCounts.map((row, id) => (triggers.includes(id) ? 0 : row.reduce((sum, count) => sum + count, 0))),
  );
  return new TokenTask({
    name: "bigramBackcopy",
    vocabulary: [first, ...characters],
    length,
    parts: ["backcopy", "bigram"],
    first,
    seed: wholeNumber("bigramBackcopy", "seed", options.seed ?? 0, 0),
    row: (draws) => {
      const text = [draws.among(start)];
      while (text.length < length) {
        const last = text.at(-1)!;
        text.push(triggers.includes(last) ? text.at(-2)! : draws.among(follow[last]));
      }
      const ids = [0, ...text.map((character) => character + 1)];
      const kind = (t: number): number => (t === 0 ? -1 : triggers.includes(text[t - 1]) ? 0 : 1);
      return {
        ids: ids.slice(0, length),
        // The first character is drawn by itself: nothing tells it.
        targets: ids.slice(1).map((id, t) => (t === 0 ? -1 : id)),
        kinds: Array.from({ length }, (_, t) => kind(t)),
      };
    },
  });
}

/**
 * The least loss of the part `bigram`: the mean entropy of what follows the characters that occur there.
 *
 * Units    nats
 */
export function bigramFloor(task: TokenTask, rows = 400): number {
  const entropies = bigramCounts.map((row) => {
    const total = row.reduce((sum, count) => sum + count, 0);
    return row.reduce((sum, count) => sum - (count > 0 ? (count / total) * Math.log(count / total) : 0), 0);
  });
  const seen = Array.from({ length: rows }, (_, i) => task.row(i, "test")).flatMap(({ ids, kinds = [] }) =>
    ids.filter((_, t) => kinds[t] === 1).map((id) => entropies[id - 1]),
  );
  return seen.reduce((sum, entropy) => sum + entropy, 0) / seen.length;
}
