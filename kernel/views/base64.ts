import { PayloadError } from "./payloadError.js";

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/** Characters that `byteCount` bytes take in base64, padding included. */
export function base64Length(byteCount: number): number {
  return Math.ceil(byteCount / 3) * 4;
}

/** Standard base64 with padding (RFC 4648 §4). */
export function encodeBase64(bytes: Uint8Array): string {
  const parts: string[] = [];
  let part = "";
  for (let at = 0; at < bytes.length; at += 3) {
    const left = bytes.length - at;
    const word = (bytes[at] << 16) | ((left > 1 ? bytes[at + 1] : 0) << 8) | (left > 2 ? bytes[at + 2] : 0);
    part += alphabet[word >> 18] + alphabet[(word >> 12) & 63];
    part += left > 1 ? alphabet[(word >> 6) & 63] : "=";
    part += left > 2 ? alphabet[word & 63] : "=";
    if (part.length >= 8192) {
      parts.push(part);
      part = "";
    }
  }
  parts.push(part);
  return parts.join("");
}

/**
 * The bytes of a standard base64 text.
 *
 * Throws   PayloadError on a length that is no multiple of 4, a foreign character or misplaced padding
 */
export function decodeBase64(text: string): Uint8Array {
  if (text.length % 4 !== 0) {
    throw new PayloadError(`base64: length must be a multiple of 4, got ${text.length}`);
  }
  const padding = text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0;
  const length = (text.length / 4) * 3 - padding;
  const bytes = decoded(text);
  // What the platform passes over, a blank, makes it shorter.
  if (bytes?.length !== length) {
    throw new PayloadError("base64: expected A–Z, a–z, 0–9, + and /, got another character");
  }
  return bytes;
}

/** Browsers and Node have it alike. */
declare function atob(text: string): string;

/** ECMAScript 2026; browsers have it, Node from 25 on: a page that just opened runs a loop slowly. */
const { fromBase64 } = Uint8Array as { readonly fromBase64?: (text: string, options: object) => Uint8Array };

/** Undefined where the text is no base64. */
function decoded(text: string): Uint8Array | undefined {
  try {
    if (fromBase64) return fromBase64.call(Uint8Array, text, { lastChunkHandling: "strict" });
    const characters = atob(text);
    const bytes = new Uint8Array(characters.length);
    for (let at = 0; at < bytes.length; at++) bytes[at] = characters.charCodeAt(at);
    return bytes;
  } catch {
    return undefined;
  }
}
