import { checkOptions, wholeNumber } from "../tensor/index.js";
import { TokenTask } from "./parts/tokenTask.js";

export interface CopyingOptions {
  /** Tokens to choose from; default 32. */
  readonly vocabulary?: number;
  /** Tokens before they repeat; default 12. */
  readonly period?: number;
  /** How often the period occurs; default 2. */
  readonly repeats?: number;
  /** Default 0. */
  readonly seed?: number;
}

/**
 * Random tokens, repeated: what the second time is to be predicted, an induction head finds by looking `period` − 1 back.
 *
 *   input    <s> d a f c d a f
 *   predict  ·   · · · d a f c
 *
 * Source   arXiv:2209.11895, "repeated random tokens"
 */
export function copying(options: CopyingOptions = {}): TokenTask {
  checkOptions("copying", options, ["vocabulary", "period", "repeats", "seed"]);
  const vocabulary = wholeNumber("copying", "vocabulary", options.vocabulary ?? 32, 2);
  const period = wholeNumber("copying", "period", options.period ?? 12);
  const repeats = wholeNumber("copying", "repeats", options.repeats ?? 2, 2);
  return new TokenTask({
    name: "copying",
    vocabulary: ["<s>", ...Array.from({ length: vocabulary }, (_, i) => `t${i}`)],
    length: period * repeats,
    first: "<s>",
    seed: wholeNumber("copying", "seed", options.seed ?? 0, 0),
    row: (draws) => {
      const once = Array.from({ length: period }, () => 1 + draws.below(vocabulary));
      const all = [0, ...Array.from({ length: repeats }, () => once).flat()];
      return { ids: all.slice(0, -1), targets: all.slice(1).map((id, t) => (t < period ? -1 : id)) };
    },
  });
}
