import type { JsonObject } from "../json.js";
import type { Span } from "../utf8.js";
import { addedTokensOf } from "./addedTokens.js";
import { normalizerOf } from "./normalizers.js";
import type { Token } from "./postProcessors.js";
import { postProcessorOf } from "./postProcessors.js";
import { preTokenizerOf } from "./preTokenizers.js";
import type { WordModel } from "./words.js";
import { wordReader } from "./words.js";

/** Where tokens lie in their text; a token that a template adds has an empty place at 0. */
export interface Offsets {
  /** In characters, as Python counts. */
  readonly codePoints: readonly Span[];
  /** In indices of a JavaScript string. */
  readonly utf16: readonly Span[];
}

/**
 * From a text to tokens with their places: added tokens, normaliser, pre-tokeniser, model, post-processor.
 *
 * Throws   UnsupportedError on a step that is not known
 */
export function pipelineOf(json: JsonObject, model: WordModel): (text: string) => readonly Token[] {
  const part = (name: string): JsonObject | null => (json[name] ?? null) as JsonObject | null;
  const sections = addedTokensOf(json, normalizerOf(part("normalizer")));
  const split = preTokenizerOf(part("pre_tokenizer"));
  const finish = postProcessorOf(part("post_processor"));
  const read = wordReader(part("model") ?? {}, model);
  return (text) =>
    finish(
      sections(text).flatMap(({ text: section, id }): Token[] => {
        if (id !== undefined) return [{ id, text: section.text, type: 0, span: section.span(0, section.length) }];
        return split(section)
          .filter(({ length }) => length > 0)
          .flatMap(read);
      }),
    );
}

/** The places of tokens as both sides count them. */
export function offsetsOf(text: string, tokens: readonly Token[]): Offsets {
  const starts = [0];
  for (const character of text) starts.push(starts.at(-1)! + character.length);
  const codePoints = tokens.map(({ span }) => span);
  return { codePoints, utf16: codePoints.map(([start, end]) => [starts[start], starts[end]]) };
}
