import { halfBits, halfValue } from "../tensor/half.js";

/**
 * IEEE 754 binary16 of each value, little-endian bytes, rounded to nearest even.
 *
 * Range    |error| ≤ 2⁻¹¹ · |value| for 2⁻¹⁴ ≤ |value| < 65 520, ≤ 2⁻²⁵ below; beyond: ±∞
 */
export function encodeHalf(values: Float32Array): Uint8Array {
  const bytes = new Uint8Array(values.length * 2);
  for (let at = 0; at < values.length; at++) {
    const half = halfBits(values[at]);
    bytes[2 * at] = half & 255;
    bytes[2 * at + 1] = half >> 8;
  }
  return bytes;
}

/** The values of little-endian binary16 bytes. */
export function decodeHalf(bytes: Uint8Array): Float32Array {
  const values = new Float32Array(bytes.length >> 1);
  for (let at = 0; at < values.length; at++) values[at] = halfValue(bytes[2 * at] | (bytes[2 * at + 1] << 8));
  return values;
}
