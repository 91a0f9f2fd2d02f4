import { halfBits, halfValue } from "../tensor/half.js";

/** float32 bits of 2⁻¹⁴ and of 65 520, and what the exponents of both formats differ by. */
const [leastNormal, leastInfinite, bias] = [0x38800000, 0x477ff000, 112 << 23];

/**
 * IEEE 754 binary16 of each value, little-endian bytes, rounded to nearest even.
 *
 * Range    |error| ≤ 2⁻¹¹ · |value| for 2⁻¹⁴ ≤ |value| < 65 520, ≤ 2⁻²⁵ below; beyond: ±∞
 */
export function encodeHalf(values: Float32Array): Uint8Array {
  const bytes = new Uint8Array(values.length * 2);
  const words = new Uint32Array(values.buffer, values.byteOffset, values.length);
  for (let at = 0; at < values.length; at++) {
    const word = words[at];
    // Positive normal numbers, which weights are, round by one addition: half of the last place, ties to even.
    const isPlain = word >= leastNormal && word < leastInfinite;
    const half = isPlain ? (word - bias + 0xfff + ((word >>> 13) & 1)) >>> 13 : word === 0 ? 0 : halfBits(values[at]);
    bytes[2 * at] = half & 255;
    bytes[2 * at + 1] = half >> 8;
  }
  return bytes;
}

/** The 16 bits at a place of little-endian bytes. */
export function wordAt(bytes: Uint8Array, at: number): number {
  return bytes[2 * at] | (bytes[2 * at + 1] << 8);
}

/** The values of little-endian binary16 bytes. */
export function decodeHalf(bytes: Uint8Array): Float32Array {
  const values = new Float32Array(bytes.length >> 1);
  // A table pays from some tens of thousands of values on; it is made with the first such decoding.
  const table = values.length < 20_000 ? undefined : (allHalves ??= Float32Array.from({ length: 65_536 }, (_, bits) => halfValue(bits))); // prettier-ignore
  for (let at = 0; at < values.length; at++) {
    const bits = wordAt(bytes, at);
    values[at] = table ? table[bits] : halfValue(bits);
  }
  return values;
}

let allHalves: Float32Array | undefined;
