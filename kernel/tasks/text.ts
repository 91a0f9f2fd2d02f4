import { checkOptions, OptionError, wholeNumber } from "../tensor/index.js";
import { TokenTask } from "./parts/tokenTask.js";

export interface TextOptions {
  /** Tokens per row; default 64. */
  readonly length?: number;
  /** Cuts a text into tokens; characters when left out. */
  readonly tokens?: { readonly vocabulary: readonly string[]; readonly encode: (text: string) => readonly number[] };
  /** The share of rows whose second half repeats the first; default 0. */
  readonly repeated?: number;
  /** How much of the end of the text is kept for tests; default 0.1. */
  readonly test?: number;
  /** Default 0. */
  readonly seed?: number;
}

/**
 * A text to be continued: windows of it, each token to be predicted from those before.
 *
 *   input    t h e ␣ c a
 *   predict  h e ␣ c a t
 *
 * Throws   OptionError where the text is too short for its windows
 * Example  text(await readFile("book.txt", "utf8"), { length: 128 })
 */
export function text(source: string, options: TextOptions = {}): TokenTask {
  checkOptions("text", options, ["length", "tokens", "repeated", "test", "seed"]);
  const length = wholeNumber("text", "length", options.length ?? 64);
  const { test = 0.1, repeated = 0 } = options;
  if (!(repeated >= 0 && repeated <= 1))
    throw new OptionError(`text: repeated must be a number in 0 … 1, got ${String(repeated)}`);
  if (!(test >= 0 && test < 1)) throw new OptionError(`text: test must be a number in 0 … 1, got ${String(test)}`);
  const characters = [...new Set(source)].sort();
  const idOf = new Map(characters.map((character, id) => [character, id]));
  const vocabulary = options.tokens?.vocabulary ?? characters;
  const ids = Int32Array.from(
    options.tokens?.encode(source) ?? Array.from(source, (character) => idOf.get(character)!),
  );
  const border = Math.round(ids.length * (1 - test));
  const spans = { train: [0, border], test: [border, ids.length] } as const;
  for (const [split, [from, to]] of Object.entries(spans)) {
    if (to - from < length + 1 && (split === "train" || test > 0))
      throw new OptionError(`text: rows of ${length} tokens need ${length + 1}, the ${split} part has ${to - from}`);
  }
  return new TokenTask({
    name: "text",
    vocabulary,
    length,
    seed: wholeNumber("text", "seed", options.seed ?? 0, 0),
    row: (draws, split) => {
      const [from, to] = test > 0 ? spans[split] : spans.train;
      const at = from + draws.below(to - from - length);
      const window = [...ids.subarray(at, at + length + 1)];
      const half = length >> 1;
      const all = draws.unit() < repeated ? [...window.slice(0, half), ...window.slice(0, length + 1 - half)] : window;
      return { ids: all.slice(0, -1), targets: all.slice(1) };
    },
  });
}
