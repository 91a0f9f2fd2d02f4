import { FormatError } from "../../tensor/index.js";
import { bytesOfText } from "../utf8.js";
import type { Aligned, Change } from "./aligned.js";

const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

function base64Bytes(text: string): Uint8Array {
  const digits = text.replace(/=+$/, "");
  const bytes = new Uint8Array(Math.floor((digits.length * 3) / 4));
  for (let i = 0, held = 0, bits = 0, at = 0; i < digits.length; i++) {
    const value = letters.indexOf(digits[i]);
    if (value < 0) throw new FormatError("precompiled_charsmap is not base64");
    held = ((held << 6) | value) & 0xffffff;
    bits += 6;
    if (bits >= 8) bytes[at++] = (held >> (bits -= 8)) & 0xff;
  }
  return bytes;
}

function textOf(bytes: Uint8Array): string {
  return decodeURIComponent(Array.from(bytes, (byte) => `%${byte.toString(16).padStart(2, "0")}`).join(""));
}

const segmenter = new Intl.Segmenter(undefined, { granularity: "grapheme" });
/** Characters that are cut into graphemes at a time: the time of a cut grows with the square of the text. */
const windowLength = 200;

/** The characters of a text as a reader sees them, each with its marks. */
function* graphemesOf(characters: readonly string[]): Generator<string> {
  for (let at = 0, width = windowLength; at < characters.length;) {
    const isLast = at + width >= characters.length;
    const found = [...segmenter.segment(characters.slice(at, at + width).join(""))].map(({ segment }) => segment);
    // The last one may go on behind the window.
    const whole = isLast ? found : found.slice(0, -1);
    for (const segment of whole) {
      yield segment;
      at += [...segment].length;
    }
    width = whole.length === 0 ? 2 * width : windowLength;
  }
}

/**
 * Replacements of SentencePiece: whole graphemes of few bytes first, else characters one by one.
 *
 * Source   SentencePiece's normalizer: a double-array trie (darts-clone), then replacements that end in a zero byte
 * Throws   FormatError on a table that is none
 */
export function precompiled(encoded: unknown): (x: Aligned) => Aligned {
  if (encoded === null || encoded === undefined) return (x) => x;
  if (typeof encoded !== "string") throw new FormatError("precompiled_charsmap must be text");
  const bytes = base64Bytes(encoded);
  const view = new DataView(bytes.buffer);
  const size = bytes.length >= 4 ? view.getUint32(0, true) : NaN;
  if (!(size % 4 === 0 && 4 + size <= bytes.length)) throw new FormatError("precompiled_charsmap breaks off");
  const units = Uint32Array.from({ length: size / 4 }, (_, i) => view.getUint32(4 + 4 * i, true));
  const replacements = bytes.subarray(4 + size);
  const offsetOf = (unit: number): number => (unit >>> 10) << ((unit & (1 << 9)) >>> 6);

  /** What the shortest known beginning of a text is replaced by. */
  const find = (text: string): string | undefined => {
    let at = units.length > 0 ? offsetOf(units[0]) : NaN;
    for (const byte of bytesOfText(text).bytes) {
      if (byte === 0) break;
      at ^= byte;
      const unit = units[at];
      if (unit === undefined || (unit & 0x800000ff) >>> 0 !== byte) return undefined;
      at ^= offsetOf(unit);
      if (((unit >>> 8) & 1) === 1) {
        const start = (units[at] ?? 0) & 0x7fffffff;
        const end = replacements.indexOf(0, start);
        return textOf(replacements.subarray(start, end < 0 ? undefined : end));
      }
    }
    return undefined;
  };

  return (x) => {
    const result: Change[] = [];
    const replace = (old: readonly string[], content: string): void => {
      const fresh = [...content];
      const surplus = fresh.length - old.length;
      fresh.forEach((character, i) => result.push([character, i >= old.length ? 1 : 0]));
      // What is left over of the old characters is dropped behind the last new one.
      if (surplus < 0 && result.length > 0) {
        const [last, change] = result.at(-1)!;
        result[result.length - 1] = [last, change + surplus];
      }
    };
    for (const segment of graphemesOf(x.characters)) {
      const characters = [...segment];
      const whole = bytesOfText(segment).bytes.length < 6 ? find(segment) : undefined;
      if (whole !== undefined) replace(characters, whole);
      else {
        for (const character of characters) {
          const found = find(character);
          if (found === undefined) result.push([character, 0]);
          else replace([character], found);
        }
      }
    }
    return x.changed(result);
  };
}
