import type { JsonObject } from "../json.js";
import { textIn } from "../json.js";
import type { Span } from "../utf8.js";
import { bytesOfText } from "../utf8.js";
import type { Aligned } from "./aligned.js";
import type { Token } from "./postProcessors.js";

/** The model of a tokenizer: words to tokens of its vocabulary. */
export interface WordModel {
  (words: readonly string[]): readonly string[];
  readonly tokens_to_ids: ReadonlyMap<string, number>;
  readonly unk_token: string | undefined;
  readonly unk_token_id: number | undefined;
}

const byteToken = (byte: number): string => `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`;

/**
 * Tokens of one word with their places in the text.
 *
 * Throws   Error where tokens do not spell the word
 */
export function wordReader(json: JsonObject, model: WordModel): (word: Aligned) => Token[] {
  const type = json["type"];
  const fallsBack = json["byte_fallback"] === true;
  const prefix = type === "WordPiece" ? textIn(json["continuing_subword_prefix"], "##") : "";
  const suffix = textIn(json["end_of_word_suffix"], "");
  const { tokens_to_ids: ids, unk_token: unknown, unk_token_id: unknownId } = model;
  const isKnown = (character: string): boolean => ids.has(character);
  const bytesOf = (text: string): readonly string[] | undefined => {
    const tokens = bytesOfText(text).bytes.map(byteToken);
    return fallsBack && tokens.every(isKnown) ? tokens : undefined;
  };
  const token = (text: string, span: Span): Token => ({ id: ids.get(text) ?? unknownId!, text, type: 0, span });

  const readUnigram = (word: Aligned): Token[] => {
    let at = 0;
    return model([word.text]).flatMap((text) => {
      const from = at;
      at += [...text].length;
      const spelt = isKnown(text) ? [text] : (bytesOf(text) ?? [text]);
      return spelt.map((part) => token(part, word.span(from, at)));
    });
  };

  const readPieces = (word: Aligned): Token[] => {
    const texts = model([word.text]);
    if (type === "WordPiece" && texts.length === 1 && texts[0] === unknown) {
      return [token(texts[0], word.span(0, word.length))];
    }
    const result: Token[] = [];
    let at = 0;
    for (let i = 0; i < texts.length;) {
      if (at >= word.length) {
        throw new Error(`tokens ${JSON.stringify(texts)} do not spell ${JSON.stringify(word.text)}`);
      }
      const own = word.characters[at];
      const bare = at === 0 ? texts[i] : texts[i].slice(prefix.length);
      const ends = i === texts.length - 1 && suffix !== "" && bare.endsWith(suffix);
      const characters = [...(ends ? bare.slice(0, -suffix.length) : bare)];
      const bytes = isKnown(own) ? undefined : bytesOf(own);
      if (bytes?.every((byte, k) => byte === texts[i + k])) {
        result.push(...bytes.map((byte) => token(byte, word.span(at, at + 1))));
        i += bytes.length;
        at++;
      } else if (characters.length > 0 && characters.every((character, k) => character === word.characters[at + k])) {
        result.push(token(texts[i++], word.span(at, at + characters.length)));
        at += characters.length;
      } else if (texts[i] === unknown) {
        let to = at + 1;
        if (json["fuse_unk"] === true) while (to < word.length && !isKnown(word.characters[to])) to++;
        result.push(token(texts[i++], word.span(at, to)));
        at = to;
      } else {
        at++; // a character that the vocabulary lacks is left out where there is no token for it
      }
    }
    return result;
  };
  return type === "Unigram" ? readUnigram : readPieces;
}
