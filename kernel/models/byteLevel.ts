import type { JsonObject } from "./json.js";
import type { Span } from "./utf8.js";
import { bytesOfText } from "./utf8.js";

/** Where tokens lie in their text. */
export interface Offsets {
  /** In characters, as Python counts. */
  readonly codePoints: readonly Span[];
  /** In indices of a JavaScript string. */
  readonly utf16: readonly Span[];
}

/** Printable bytes stand for themselves, the others for the characters from U+0100 on. */
const alphabet: ReadonlyMap<string, number> = new Map(
  Array.from({ length: 256 }, (_, byte) => byte)
    .filter((byte) => !isPrintable(byte))
    .map((byte, i): [string, number] => [String.fromCharCode(256 + i), byte])
    .concat(
      Array.from({ length: 256 }, (_, byte) => byte)
        .filter(isPrintable)
        .map((byte): [string, number] => [String.fromCharCode(byte), byte]),
    ),
);

function isPrintable(byte: number): boolean {
  return (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
}

/**
 * The bytes that a byte-level token stands for; undefined for a token outside the alphabet.
 *
 * Source   Radford et al. 2019 §2.2
 */
export function bytesOfToken(token: string): readonly number[] | undefined {
  const bytes = Array.from(token, (character) => alphabet.get(character));
  return bytes.every((byte) => byte !== undefined) ? bytes : undefined;
}

function partsOf(value: unknown, list: string): JsonObject[] {
  if (typeof value !== "object" || value === null) return [];
  const { type, [list]: parts } = value as JsonObject;
  return type === "Sequence" && Array.isArray(parts) ? (parts as JsonObject[]) : [value as JsonObject];
}

/** How many tokens a template puts before and after the text. */
interface Frame {
  readonly before: number;
  readonly after: number;
}

/** Undefined where the pieces of a text cannot be followed byte by byte. */
function frameOf(json: JsonObject): Frame | undefined {
  const bytes = (part: JsonObject): boolean => part["type"] === "ByteLevel";
  const splitting = partsOf(json["pre_tokenizer"], "pretokenizers");
  const following = partsOf(json["post_processor"], "processors");
  const added = (json["added_tokens"] ?? []) as readonly JsonObject[];
  const exact =
    json["normalizer"] == null &&
    splitting.some(bytes) &&
    splitting.every((part) =>
      bytes(part) ? part["add_prefix_space"] === false : part["type"] === "Split" && part["behavior"] === "Isolated",
    ) &&
    following.every((part) => (bytes(part) ? part["trim_offsets"] === false : part["type"] === "TemplateProcessing")) &&
    added.every((token) => !token["lstrip"] && !token["rstrip"] && !token["single_word"]);
  if (!exact) return undefined;
  const template = following.find(({ type }) => type === "TemplateProcessing");
  const pieces = (template?.["single"] ?? [{ Sequence: {} }]) as readonly JsonObject[];
  const at = pieces.findIndex((piece) => "Sequence" in piece);
  return at < 0 ? undefined : { before: at, after: pieces.length - at - 1 };
}

/**
 * Finds where byte-level tokens lie in their text; undefined for a tokenizer whose rules change the text or its spans.
 * A token that holds part of a character gets the span of the whole one; a template's token gets an empty span at 0.
 */
export function byteLevelOffsets(
  json: JsonObject,
): ((text: string, tokens: readonly string[]) => Offsets | undefined) | undefined {
  const frame = frameOf(json);
  if (!frame) return undefined;
  const added = new Set(((json["added_tokens"] ?? []) as readonly JsonObject[]).map(({ content }) => content));
  return (text, tokens) => {
    const source = bytesOfText(text);
    const codePoints: Span[] = [];
    const utf16: Span[] = [];
    let at = 0;
    for (const [i, token] of tokens.entries()) {
      const isFrame = i < frame.before || i >= tokens.length - frame.after;
      const bytes = isFrame ? [] : added.has(token) ? bytesOfText(token).bytes : bytesOfToken(token);
      // Bytes that are not the text's mean a rule that is not known here.
      if (!bytes?.every((byte, j) => byte === source.bytes[at + j])) return undefined;
      const last = at + bytes.length - 1;
      codePoints.push(isFrame ? [0, 0] : [source.codePoints[at], source.codePoints[last] + 1]);
      utf16.push(isFrame ? [0, 0] : [source.utf16[at][0], source.utf16[last][1]]);
      at += bytes.length;
    }
    return at === source.bytes.length ? { codePoints, utf16 } : undefined;
  };
}
