import { deflate } from "./deflate.js";

/** Bytes one after the other. */
export function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** A number in four bytes, the highest first. */
export function bigEndian(word: number): Uint8Array {
  return Uint8Array.from([word >>> 24, (word >>> 16) & 255, (word >>> 8) & 255, word & 255]);
}

/** Compressed bytes as PNG and PDF hold them (RFC 1950). */
export function zlib(bytes: Uint8Array): Uint8Array {
  return joined([Uint8Array.from([0x78, 0x01]), deflate(bytes), bigEndian(adler32(bytes))]);
}

function adler32(bytes: Uint8Array): number {
  let low = 1;
  let high = 0;
  for (const byte of bytes) {
    low = (low + byte) % 65521;
    high = (high + low) % 65521;
  }
  return ((high << 16) | low) >>> 0;
}
