const bits = new DataView(new ArrayBuffer(8));

/**
 * The natural logarithm by basic arithmetic alone: `Math.log` may differ in its last digit from one JavaScript engine
 * to the next, which random numbers that are the same everywhere cannot bear.
 *
 *   ln(m·2ᵉ) = e·ln 2 + 2·artanh((m − 1)/(m + 1)),  √½ ≤ m < √2
 *
 * Range    x normal and positive; relative error about 1e-15
 */
export function exactLog(x: number): number {
  bits.setFloat64(0, x);
  const high = bits.getUint32(0);
  let exponent = (high >>> 20) - 1023;
  bits.setUint32(0, (high & 0x000fffff) | 0x3ff00000);
  let mantissa = bits.getFloat64(0);
  if (mantissa >= Math.SQRT2) {
    mantissa /= 2;
    exponent++;
  }
  const t = (mantissa - 1) / (mantissa + 1);
  let series = 0;
  for (let n = 25; n >= 1; n -= 2) series = series * t * t + 1 / n;
  return exponent * Math.LN2 + 2 * t * series;
}
