import type { JsonObject } from "../json.js";
import type { Span } from "../utf8.js";
import { Aligned } from "./aligned.js";
import type { Normalizer } from "./normalizers.js";

/** A token that is found in a text before anything else is done with it. */
interface AddedToken {
  readonly id: number;
  /** As it is found. */
  readonly content: readonly string[];
  readonly single_word: boolean;
  readonly lstrip: boolean;
  readonly rstrip: boolean;
}

/** A part of a text: an added token, or what is still to be read. */
export interface Section {
  readonly text: Aligned;
  readonly id?: number;
}

const isWord = (character: string | undefined): boolean =>
  character !== undefined && /[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]/u.test(character);
const isSpace = (character: string | undefined): boolean =>
  character !== undefined && /\p{White_Space}/u.test(character);

/** Finds the tokens of a list in a text: the first that begins, of those the longest. */
function finder(tokens: readonly AddedToken[]): (x: Aligned) => readonly Section[] {
  const byFirst = new Map<string, AddedToken[]>();
  for (const token of [...tokens].sort((a, b) => b.content.length - a.content.length)) {
    if (token.content.length === 0) continue;
    byFirst.set(token.content[0], [...(byFirst.get(token.content[0]) ?? []), token]);
  }
  if (byFirst.size === 0) return (text) => [{ text }];
  return (x) => {
    const { characters } = x;
    const sections: Section[] = [];
    let end = 0;
    for (let at = 0; at < characters.length;) {
      const found = byFirst
        .get(characters[at])
        ?.find(({ content }) => content.every((character, i) => character === characters[at + i]));
      if (!found) {
        at++;
        continue;
      }
      const { content, single_word: alone, lstrip, rstrip, id } = found;
      let [from, to]: Span = [at, at + content.length];
      at = to;
      if (alone && (isWord(characters[from - 1]) || isWord(characters[to]))) continue;
      if (lstrip) while (from > end && isSpace(characters[from - 1])) from--;
      if (rstrip) while (isSpace(characters[to])) to++;
      if (from > end) sections.push({ text: x.slice(end, from) });
      sections.push({ text: x.slice(from, to), id });
      end = to;
      at = Math.max(at, to);
    }
    if (end < x.length) sections.push({ text: x.slice(end, x.length) });
    return sections;
  };
}

/** Splits a text at its added tokens; what lies between them comes out normalised. */
export function addedTokensOf(json: JsonObject, normalize: Normalizer): (text: string) => readonly Section[] {
  const held = (json["added_tokens"] ?? []) as readonly JsonObject[];
  const read = (token: JsonObject, content: string): AddedToken => ({
    id: token["id"] as number,
    content: [...content],
    single_word: token["single_word"] === true,
    lstrip: token["lstrip"] === true,
    rstrip: token["rstrip"] === true,
  });
  const isNormalized = (token: JsonObject): boolean => (token["normalized"] ?? token["special"] !== true) === true;
  const raw = finder(
    held.filter((token) => !isNormalized(token)).map((token) => read(token, String(token["content"]))),
  );
  const late = finder(
    held.filter(isNormalized).map((token) => read(token, normalize(Aligned.of(String(token["content"]))).text)),
  );
  return (text) =>
    raw(Aligned.of(text)).flatMap((section) => (section.id === undefined ? late(normalize(section.text)) : [section]));
}
