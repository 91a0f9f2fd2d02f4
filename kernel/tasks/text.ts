import { checkOptions, knownNames, OptionError, wholeNumber } from "../tensor/index.js";
import type { Draws } from "./parts/draws.js";
import type { TaskRow } from "./parts/tokenTask.js";
import { TokenTask } from "./parts/tokenTask.js";

export interface TextOptions {
  /** Tokens per row; default 64. */
  readonly length?: number;
  /** Cuts a text into tokens; characters when left out. */
  readonly tokens?: { readonly vocabulary: readonly string[]; readonly encode: (text: string) => readonly number[] };
  /** The share of rows that are one passage again and again; default 0. */
  readonly repeated?: number;
  /** The least and the most tokens of such a passage; by default each is half a row. */
  readonly period?: readonly [least: number, most: number];
  /** The share of those passages that are tokens drawn at random in place of text; default 0. */
  readonly scrambled?: number;
  /** A token of the vocabulary that stands before every row; default none. */
  readonly first?: string;
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
 * A repeated passage can be told from its second time on: the part "again". One of random tokens is asked for only there.
 *
 * Throws   OptionError where the text is too short for its windows
 * Example  text(await readFile("book.txt", "utf8"), { length: 128 })
 */
export function text(source: string, options: TextOptions = {}): TokenTask {
  checkOptions("text", options, ["length", "tokens", "repeated", "period", "scrambled", "first", "test", "seed"]);
  const length = wholeNumber("text", "length", options.length ?? 64);
  const [test, repeated, scrambled] = [
    share("test", options.test ?? 0.1),
    share("repeated", options.repeated ?? 0),
    share("scrambled", options.scrambled ?? 0),
  ];
  if (test === 1) throw new OptionError("text: test must be a number below 1, got 1");
  const characters = [...new Set(source)].sort();
  const idOf = new Map(characters.map((character, id) => [character, id]));
  const vocabulary = options.tokens?.vocabulary ?? characters;
  const first = options.first === undefined ? [] : [vocabulary.indexOf(options.first)];
  if (first[0] === -1)
    throw new OptionError(`text: unknown first "${options.first}"${knownNames(options.first!, vocabulary)}`);
  const own = length - first.length; // tokens of text that a row reads
  const [least, most] = periodOf(options.period ?? [length >> 1, length >> 1], own);
  const ids = Int32Array.from(
    options.tokens?.encode(source) ?? Array.from(source, (character) => idOf.get(character)!),
  );
  const border = Math.round(ids.length * (1 - test));
  const spans = { train: [0, border], test: [border, ids.length] } as const;
  for (const [split, [from, to]] of Object.entries(spans)) {
    if (to - from < length + 1 && (split === "train" || test > 0))
      throw new OptionError(`text: rows of ${length} tokens need ${length + 1}, the ${split} part has ${to - from}`);
  }
  const [newPart, againPart] = [0, 1];
  /** `all` is what a row reads and one more; from `from` on, looking back tells each. */
  const rowOf = (all: readonly number[], from = all.length, asked = all): TaskRow => {
    const start = first.length === 0 ? 1 : 0; // without a first token nothing predicts the first of the text
    const kinds = all.map((_, t) => (asked[t] < 0 ? -1 : t < from ? newPart : againPart)).slice(start, start + length);
    const row = { ids: [...first, ...all].slice(0, length), targets: asked.slice(start, start + length) };
    return repeated > 0 ? { ...row, kinds } : row;
  };
  /** A passage again and again. */
  const again = (window: readonly number[], draws: Draws): TaskRow => {
    const period = least === most ? least : least + draws.below(most - least + 1);
    const isScrambled = scrambled > 0 && draws.unit() < scrambled;
    const passage = isScrambled
      ? Array.from({ length: period }, () => first.length + draws.below(vocabulary.length - first.length))
      : window.slice(0, period);
    const all = window.map((_, t) => passage[t % period]);
    const asked = isScrambled ? all.map((id, t) => (t < period ? -1 : id)) : all;
    return rowOf(all, period, asked);
  };
  return new TokenTask({
    name: "text",
    vocabulary,
    length,
    ...(options.first === undefined ? {} : { first: options.first }),
    ...(repeated > 0 ? { parts: ["new", "again"] } : {}),
    seed: wholeNumber("text", "seed", options.seed ?? 0, 0),
    row: (draws, split) => {
      const [from, to] = test > 0 ? spans[split] : spans.train;
      const at = from + draws.below(to - from - length);
      const window = [...ids.subarray(at, at + own + 1)];
      return draws.unit() < repeated ? again(window, draws) : rowOf(window);
    },
  });
}

function share(name: string, x: number): number {
  if (x >= 0 && x <= 1) return x;
  throw new OptionError(`text: ${name} must be a number in 0 … 1, got ${String(x)}`);
}

function periodOf([least, most]: readonly [number, number], longest: number): readonly [number, number] {
  const isWhole = Number.isSafeInteger(least) && Number.isSafeInteger(most);
  if (isWhole && 1 <= least && least <= most && most <= longest) return [least, most];
  throw new OptionError(
    `text: period must be two whole numbers in 1 … ${longest}, the lesser first, got ${least}, ${most}`,
  );
}
