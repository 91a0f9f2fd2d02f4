import { OptionError } from "../../tensor/index.js";
import type { JsonObject } from "../json.js";

const special = /^<.+>$/;

/** Tokens that are made of characters by joining pairs: see `tasks.bpe`. */
export interface MergedTokens {
  readonly vocabulary: readonly string[];
  readonly merges: readonly (readonly [string, string])[];
  /** What cuts a text into words before anything is joined. */
  readonly words: RegExp;
}

/**
 * tokenizer.json of a list of tokens: text is read character by character where every token is one, word by word
 * otherwise, or by joining pairs; tokens in angle brackets are special. With `first`, that token is put before every text.
 *
 * Throws   OptionError on a token that occurs twice, or on one with a space among words
 */
export function tokenizerOf(given: readonly string[] | MergedTokens, first?: string): JsonObject {
  const merged = "merges" in given ? given : undefined;
  const tokens = "merges" in given ? given.vocabulary : given;
  const twice = tokens.find((token, id) => tokens.indexOf(token) !== id);
  if (twice !== undefined) throw new OptionError(`transformer: token "${twice}" occurs twice in the vocabulary`);
  const vocab = Object.fromEntries(tokens.map((token, id) => [token, id]));
  const plain = tokens.filter((token) => !special.test(token));
  const isCharacters = merged !== undefined || plain.every((token) => [...token].length === 1);
  const spaced = plain.find((token) => /\s/.test(token));
  if (!isCharacters && spaced !== undefined)
    throw new OptionError(`transformer: a token of several characters holds no space, got "${spaced}"`);
  if (first !== undefined && !tokens.includes(first))
    throw new OptionError(`transformer: first "${first}" is not in the vocabulary`);
  const lead = first === undefined ? [] : [{ SpecialToken: { id: first, type_id: 0 } }];
  return {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: tokens
      .map((content, id) => ({
        id,
        content,
        special: true,
        single_word: false,
        lstrip: false,
        rstrip: false,
        normalized: false,
      })) // prettier-ignore
      .filter(({ content }) => special.test(content)),
    normalizer: null,
    pre_tokenizer: merged
      ? { type: "Split", pattern: { Regex: merged.words.source }, behavior: "Isolated", invert: false }
      : isCharacters ? null : { type: "WhitespaceSplit" }, // prettier-ignore
    post_processor: {
      type: "TemplateProcessing",
      single: [...lead, { Sequence: { id: "A", type_id: 0 } }],
      pair: [...lead, { Sequence: { id: "A", type_id: 0 } }, { Sequence: { id: "B", type_id: 1 } }],
      special_tokens: first === undefined ? {} : { [first]: { id: first, ids: [vocab[first]], tokens: [first] } },
    },
    decoder: isCharacters ? { type: "Fuse" } : null,
    model: isCharacters
      ? { type: "BPE", vocab, merges: merged?.merges ?? [], unk_token: null, fuse_unk: false, byte_fallback: false }
      : { type: "WordPiece", vocab, unk_token: plain[0] ?? tokens[0], continuing_subword_prefix: "##", max_input_chars_per_word: 100 }, // prettier-ignore
  };
}
