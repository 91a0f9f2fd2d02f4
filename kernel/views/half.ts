const floatCell = new Float32Array(1);
const bitsCell = new Uint32Array(floatCell.buffer);

function halfBits(value: number): number {
  floatCell[0] = value;
  const bits = bitsCell[0];
  const sign = (bits >>> 16) & 0x8000;
  const exponent = (bits >>> 23) & 0xff;
  const mantissa = bits & 0x7fffff;
  if (exponent === 0xff) return sign | 0x7c00 | (mantissa ? 0x200 : 0);
  const shifted = exponent - 112;
  if (shifted >= 31) return sign | 0x7c00;
  if (shifted >= 1) return sign | roundShift((shifted << 23) | mantissa, 13);
  // Below 2⁻¹⁴ the hidden bit becomes explicit and the value is shifted into the subnormal range.
  return shifted < -10 ? sign : sign | roundShift(mantissa | 0x800000, 14 - shifted);
}

/** `word >> shift`, rounded to nearest, ties to even; a carry runs into the exponent, as it must. */
function roundShift(word: number, shift: number): number {
  const kept = word >>> shift;
  const rest = word & ((1 << shift) - 1);
  const tie = 1 << (shift - 1);
  return rest > tie || (rest === tie && (kept & 1) === 1) ? kept + 1 : kept;
}

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
  for (let at = 0; at < values.length; at++) {
    const half = bytes[2 * at] | (bytes[2 * at + 1] << 8);
    const exponent = (half >> 10) & 31;
    const mantissa = half & 1023;
    const size =
      exponent === 31
        ? mantissa
          ? NaN
          : Infinity
        : exponent === 0
          ? mantissa * 2 ** -24
          : (1024 + mantissa) * 2 ** (exponent - 25);
    values[at] = half & 0x8000 ? -size : size;
  }
  return values;
}
