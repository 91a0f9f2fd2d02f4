import { checkOptions, OptionError, wholeNumber } from "../tensor/index.js";

export interface BpeOptions {
  /** Tokens in all, characters and special ones included; default 512. */
  readonly size?: number;
  /** Tokens that no text contains, put first; default none. */
  readonly special?: readonly string[];
}

/** Tokens made of a text, and how texts are cut into them. */
export interface Bpe {
  readonly vocabulary: readonly string[];
  /** Pairs in the order in which they are joined. */
  readonly merges: readonly (readonly [string, string])[];
  /** Throws OptionError on a character that the text did not have. */
  readonly encode: (text: string) => readonly number[];
  /** The pattern that cuts a text into words before anything is joined. */
  readonly words: RegExp;
}

/** A word with the space before it; a number; any other character by itself. */
const words = / ?[A-Za-z]+| ?[0-9]+|[^A-Za-z0-9]/g;

interface Word {
  symbols: string[];
  readonly count: number;
}

/** Every occurrence of a pair joined. */
function joined(symbols: readonly string[], [a, b]: readonly [string, string]): string[] {
  const out: string[] = [];
  for (let at = 0; at < symbols.length; at++) {
    if (symbols[at] === a && symbols[at + 1] === b) {
      out.push(a + b);
      at++;
    } else out.push(symbols[at]);
  }
  return out;
}

/** The most frequent pair; of equal ones the first in order of characters. */
function commonest(list: readonly Word[]): readonly [string, string] | undefined {
  const counts = new Map<string, number>();
  for (const { symbols, count } of list) {
    for (let at = 0; at + 1 < symbols.length; at++) {
      const key = `${symbols[at]}\u0000${symbols[at + 1]}`;
      counts.set(key, (counts.get(key) ?? 0) + count);
    }
  }
  let best: readonly [string, number] = ["", 1];
  for (const [key, count] of counts) if (count > best[1] || (count === best[1] && key < best[0])) best = [key, count];
  const [a, b] = best[0].split("\u0000");
  return b === undefined ? undefined : [a, b];
}

/**
 * Byte-pair encoding: from single characters on, the most frequent pair of neighbours within words becomes a token, again
 * and again. Characters take the place of bytes.
 *
 * Throws   OptionError where the characters alone are more than `size`
 * Source   arXiv:1508.07909 §3.2
 * Example  const tokens = bpe(book, { size: 1024 }); tasks.text(book, { tokens })
 */
export function bpe(text: string, options: BpeOptions = {}): Bpe {
  checkOptions("bpe", options, ["size", "special"]);
  const size = wholeNumber("bpe", "size", options.size ?? 512);
  const { special = [] } = options;
  const counts = new Map<string, number>();
  for (const [word] of text.matchAll(words)) counts.set(word, (counts.get(word) ?? 0) + 1);
  const list: Word[] = Array.from(counts, ([word, count]) => ({ symbols: [...word], count }));
  const characters = [...new Set(list.flatMap(({ symbols }) => symbols))].sort();
  const vocabulary = [...special, ...characters];
  if (vocabulary.length > size)
    throw new OptionError(`bpe: ${vocabulary.length} characters and special tokens do not fit into ${size} tokens`);
  const merges: (readonly [string, string])[] = [];
  while (vocabulary.length < size) {
    const pair = commonest(list);
    if (!pair) break;
    merges.push(pair);
    // The same token can arise in two ways.
    if (!vocabulary.includes(pair[0] + pair[1])) vocabulary.push(pair[0] + pair[1]);
    for (const word of list) if (word.symbols.includes(pair[0])) word.symbols = joined(word.symbols, pair);
  }
  const ids = new Map(vocabulary.map((token, id) => [token, id]));
  const known = new Map<string, readonly number[]>();
  const encodeWord = (word: string): readonly number[] => {
    const before = known.get(word);
    if (before) return before;
    const symbols = merges.reduce<string[]>((now, pair) => (now.length > 1 ? joined(now, pair) : now), [...word]);
    const found = symbols.map((symbol) => {
      const id = ids.get(symbol);
      if (id === undefined) throw new OptionError(`bpe: the text had no ${JSON.stringify(symbol)}`);
      return id;
    });
    known.set(word, found);
    return found;
  };
  return {
    vocabulary,
    merges,
    words,
    encode: (given) => [...given.matchAll(words)].flatMap(([word]) => encodeWord(word)),
  };
}
