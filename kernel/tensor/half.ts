const floatCell = new Float32Array(1);
const bitsCell = new Uint32Array(floatCell.buffer);

/** The bits of the float32 next to x towards 0, the last of them set where x lies beyond it: it rounds on as x would. */
function stickyBits(x: number): number {
  floatCell[0] = x;
  const [rounded] = floatCell;
  if (rounded === x || Number.isNaN(x)) return bitsCell[0];
  return (Math.abs(rounded) > Math.abs(x) ? bitsCell[0] - 1 : bitsCell[0]) | 1;
}

/** `word >> shift`, rounded to nearest, ties to even; a carry runs into the exponent, as it must. */
function roundShift(word: number, shift: number): number {
  const kept = word >>> shift;
  const rest = word & ((1 << shift) - 1);
  const tie = 1 << (shift - 1);
  return rest > tie || (rest === tie && (kept & 1) === 1) ? kept + 1 : kept;
}

/** The float16 bit pattern nearest to a number, ties to even, from 65520 on to infinity. */
export function halfBits(x: number): number {
  const bits = stickyBits(x);
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

/** The number a float16 bit pattern stands for. */
export function halfValue(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1024 + fraction) * 2 ** (exponent - 25);
}
