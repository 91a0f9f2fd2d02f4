/**
 * Eight bits per value on a square-root scale: small weights keep their differences.
 *
 *   byte = round(255 √(value / top))        value = top · (byte / 255)²
 *
 * Range    values in 0…top; |error| ≤ top · (√(value/top) / 255 + 1 / 255² / 4), so at most 0.004 · top
 */
export function encodeSqrt8(values: Float32Array, top: number): Uint8Array {
  const bytes = new Uint8Array(values.length);
  if (top > 0) {
    for (let at = 0; at < values.length; at++) bytes[at] = Math.min(255, Math.round(255 * Math.sqrt(values[at] / top)));
  }
  return bytes;
}

/** The value of one such byte. */
export function sqrt8Value(byte: number, top: number): number {
  return top * (byte / 255) * (byte / 255);
}

/** The values of `encodeSqrt8` bytes. */
export function decodeSqrt8(bytes: Uint8Array, top: number): Float32Array {
  const values = new Float32Array(bytes.length);
  const weightOf = new Float64Array(256);
  for (let byte = 0; byte < 256; byte++) weightOf[byte] = sqrt8Value(byte, top);
  for (let at = 0; at < bytes.length; at++) values[at] = weightOf[bytes[at]];
  return values;
}
