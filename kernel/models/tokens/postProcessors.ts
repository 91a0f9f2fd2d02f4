import { UnsupportedError } from "../../tensor/index.js";
import type { JsonObject } from "../json.js";
import type { Span } from "../utf8.js";

/** A token on its way to the model. */
export interface Token {
  readonly id: number;
  /** As the vocabulary spells it. */
  readonly text: string;
  readonly type: number;
  /** In code points; an empty one at 0 for a token that a template adds. */
  readonly span: Span;
}

/** Adds the tokens around a text and settles the spans. */
export type PostProcessor = (tokens: readonly Token[]) => readonly Token[];

const isBlank = (character: string): boolean => character === "Ġ" || /\p{White_Space}/u.test(character);

/** Spaces at either end of a token left out of its span. */
function trimmed(prefixes: boolean): PostProcessor {
  return (tokens) =>
    tokens.map((token, i) => {
      const characters = [...token.text];
      const first = characters.findIndex((character) => !isBlank(character));
      const blanks = first < 0 ? characters.length : first;
      const behind =
        first < 0 ? characters.length : characters.length - 1 - characters.findLastIndex((c) => !isBlank(c));
      let [start, end] = token.span;
      const isAdded = prefixes && (i === 0 || start === 0);
      start = Math.min(start + Math.max(blanks - (isAdded && blanks > 0 ? 1 : 0), 0), end);
      if (behind > 0 && end >= behind) end = Math.max(end - behind, start);
      return { ...token, span: [start, end] };
    });
}

const added = (id: number, text: string, type: number): Token => ({ id, text, type, span: [0, 0] });

/** `[CLS]` before, `[SEP]` behind. */
function framed({ cls, sep }: JsonObject): PostProcessor {
  const [[first, firstId], [last, lastId]] = [cls, sep] as [[string, number], [string, number]];
  return (tokens) => [added(firstId, first, 0), ...tokens, added(lastId, last, 0)];
}

function template(json: JsonObject): PostProcessor {
  const special = (json["special_tokens"] ?? {}) as Readonly<Record<string, { ids: number[]; tokens: string[] }>>;
  const pieces = (json["single"] ?? []) as readonly Readonly<Record<string, { id: string; type_id: number }>>[];
  const steps = pieces.map(({ SpecialToken: own, Sequence: sequence }): PostProcessor => {
    if (sequence) return (tokens) => tokens.map((token) => ({ ...token, type: sequence.type_id }));
    const { ids, tokens: texts } = special[own.id];
    const fixed = ids.map((id, i) => added(id, texts[i], own.type_id));
    return () => fixed;
  });
  return (tokens) => steps.flatMap((step) => step(tokens));
}

/**
 * The post-processor that a tokenizer.json describes.
 *
 * Throws   UnsupportedError on a kind that is not known
 */
export function postProcessorOf(json: JsonObject | null | undefined): PostProcessor {
  if (json == null) return (tokens) => tokens;
  const trim =
    json["trim_offsets"] === false ? (tokens: readonly Token[]) => tokens : trimmed(json["add_prefix_space"] !== false);
  switch (json["type"]) {
    case "Sequence": {
      const all = ((json["processors"] ?? []) as readonly JsonObject[]).map(postProcessorOf);
      return (tokens) => all.reduce((held, next) => next(held), tokens);
    }
    case "ByteLevel":
      return trim;
    case "RobertaProcessing": {
      const frame = framed(json);
      return (tokens) => frame(trim(tokens));
    }
    case "BertProcessing":
      return framed(json);
    case "TemplateProcessing":
      return template(json);
    default:
      throw new UnsupportedError(`post-processor "${String(json["type"])}" is not known`);
  }
}
