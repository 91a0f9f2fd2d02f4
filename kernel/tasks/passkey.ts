import { checkOptions, OptionError, wholeNumber } from "../tensor/index.js";
import { TokenTask } from "./parts/tokenTask.js";

export interface PasskeyOptions {
  /** Tokens that may be a key or noise; default 32. */
  readonly vocabulary?: number;
  /** Tokens per row; default 64. */
  readonly length?: number;
  /** Where the key stands: 0 at the beginning, 1 at the end; by default anywhere. */
  readonly depth?: number;
  /** Default 0. */
  readonly seed?: number;
}

/**
 * One token that a mark announces, among noise; at the end it is asked for.
 *
 *   input    n4 n9 <key> n7 n1 n3 … n8 <ask>
 *   predict  ·  ·  ·     ·  ·  ·  … ·  n7
 *
 * Source   passkey retrieval, arXiv:2305.16300 §4.2, one token for a number
 */
export function passkey(options: PasskeyOptions = {}): TokenTask {
  checkOptions("passkey", options, ["vocabulary", "length", "depth", "seed"]);
  const vocabulary = wholeNumber("passkey", "vocabulary", options.vocabulary ?? 32, 2);
  const length = wholeNumber("passkey", "length", options.length ?? 64, 4);
  const { depth } = options;
  if (depth !== undefined && !(depth >= 0 && depth <= 1))
    throw new OptionError(`passkey: depth must be a number in 0 … 1, got ${String(depth)}`);
  return new TokenTask({
    name: "passkey",
    vocabulary: ["<key>", "<ask>", ...Array.from({ length: vocabulary }, (_, i) => `n${i}`)],
    length,
    seed: wholeNumber("passkey", "seed", options.seed ?? 0, 0),
    row: (draws) => {
      const ids = Array.from({ length }, () => 2 + draws.below(vocabulary));
      const room = length - 3;
      const at = depth === undefined ? draws.below(room + 1) : Math.round(depth * room);
      ids[at] = 0;
      ids[length - 1] = 1;
      return { ids, targets: ids.map((_, t) => (t === length - 1 ? ids[at + 1] : -1)) };
    },
  });
}
