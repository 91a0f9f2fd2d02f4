import { checkOptions, OptionError, wholeNumber } from "../tensor/index.js";
import { runningSums } from "./parts/draws.js";
import type { Draws } from "./parts/draws.js";
import { TokenTask } from "./parts/tokenTask.js";

export interface MqarOptions {
  /** Tokens; the first half are keys, the second values. Default 64. */
  readonly vocabulary?: number;
  /** Tokens per row; default 32. */
  readonly length?: number;
  /** Keys with values per row; default 4. */
  readonly pairs?: number;
  /** How soon the queries come: 1 spreads them evenly, near 0 they come early. Default 0.01. */
  readonly power?: number;
  /** What stands between the queries: any tokens, or token 0. Default `"random"`. */
  readonly noise?: "random" | "zero";
  /** Default 0. */
  readonly seed?: number;
}

/** Different places in 0 … count − 1, drawn one after the other with these weights. */
function places(draws: Draws, wanted: number, weights: readonly number[]): number[] {
  const left = [...weights];
  return Array.from({ length: wanted }, () => {
    const at = draws.among(runningSums(left));
    left[at] = 0;
    return at;
  });
}

/**
 * Multi-query associative recall: pairs of keys and values, then keys again, whose values are to be told.
 *
 *   input    k3 v9 k7 v2 …  k7 v2 v8 k3 v9
 *   predict  ·  ·  ·  ·  …  v2 ·  ·  v9 ·
 *
 * Throws   OptionError where pairs and queries do not fit into a row, or keys into the vocabulary
 * Source   Zoology, arXiv:2312.04927 §4 and appendix E; gaps with p ∝ a·i^(a − 1) as in its code
 */
export function mqar(options: MqarOptions = {}): TokenTask {
  checkOptions("mqar", options, ["vocabulary", "length", "pairs", "power", "noise", "seed"]);
  const vocabulary = wholeNumber("mqar", "vocabulary", options.vocabulary ?? 64, 4);
  const length = wholeNumber("mqar", "length", options.length ?? 32);
  const pairs = wholeNumber("mqar", "pairs", options.pairs ?? 4);
  const { power = 0.01, noise = "random" } = options;
  if (!(power > 0)) throw new OptionError(`mqar: power must be a number above 0, got ${String(power)}`);
  if (noise !== "random" && noise !== "zero")
    throw new OptionError(`mqar: noise must be "random" or "zero", got ${JSON.stringify(noise)}`);
  const half = vocabulary >> 1;
  const context = 2 * pairs;
  const room = Math.floor((length + 1 - context) / 2);
  if (room < pairs) throw new OptionError(`mqar: ${pairs} pairs and their queries need ${4 * pairs} tokens, got length ${length}`); // prettier-ignore
  if (half - 1 < pairs) throw new OptionError(`mqar: ${pairs} keys need a vocabulary of ${2 * (pairs + 1)}, got ${vocabulary}`); // prettier-ignore
  const weights = Array.from({ length: room }, (_, i) => power * (i + 1) ** (power - 1));
  return new TokenTask({
    name: "mqar",
    vocabulary: Array.from({ length: vocabulary }, (_, id) => (id === 0 ? "_" : id < half ? `k${id}` : `v${id}`)),
    length,
    seed: wholeNumber("mqar", "seed", options.seed ?? 0, 0),
    row: (draws) => {
      const keys = draws.distinct(pairs, half - 1).map((key) => key + 1);
      const values = draws.distinct(pairs, vocabulary - half).map((value) => value + half);
      const ids: number[] = Array.from({ length: length + 1 }, () =>
        noise === "random" ? draws.below(vocabulary) : 0,
      );
      const targets = new Array<number>(length).fill(-1);
      keys.forEach((key, i) => [ids[2 * i], ids[2 * i + 1]] = [key, values[i]]); // prettier-ignore
      places(draws, pairs, weights).forEach((place, i) => {
        const at = context + 2 * place;
        ids[at] = keys[i];
        if (at + 1 <= length) ids[at + 1] = values[i];
        if (at < length) targets[at] = values[i];
      });
      return { ids: ids.slice(0, length), targets };
    },
  });
}
