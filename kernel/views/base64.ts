import { PayloadError } from "./payloadError.js";

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const invalid = 255;

const codeOf: Uint8Array = (() => {
  const table = new Uint8Array(128).fill(invalid);
  for (let code = 0; code < 64; code++) table[alphabet.charCodeAt(code)] = code;
  return table;
})();

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
  const bytes = new Uint8Array((text.length / 4) * 3 - padding);
  // A foreign character sets a bit above the six of a code; whether there was one is looked at once, at the end.
  let seen = 0;
  const codeAt = (at: number): number => {
    const unit = text.charCodeAt(at);
    const code = unit < 128 ? codeOf[unit] : invalid;
    seen |= code;
    return code & 63;
  };
  const whole = text.length - (padding ? 4 : 0);
  let out = 0;
  for (let at = 0; at < whole; at += 4) {
    const word = (codeAt(at) << 18) | (codeAt(at + 1) << 12) | (codeAt(at + 2) << 6) | codeAt(at + 3);
    bytes[out++] = word >> 16;
    bytes[out++] = (word >> 8) & 255;
    bytes[out++] = word & 255;
  }
  if (padding) {
    const word = (codeAt(whole) << 18) | (codeAt(whole + 1) << 12) | (padding === 1 ? codeAt(whole + 2) << 6 : 0);
    bytes[out++] = word >> 16;
    if (padding === 1) bytes[out] = (word >> 8) & 255;
  }
  if (seen > 63) throw new PayloadError("base64: expected A–Z, a–z, 0–9, + and /, got another character");
  return bytes;
}
