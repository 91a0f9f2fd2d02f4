/** High and low word of a 32 × 32-bit product. */
function multiply(a: number, b: number): readonly [number, number] {
  const [aHigh, aLow, bHigh, bLow] = [a >>> 16, a & 0xffff, b >>> 16, b & 0xffff];
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16);
  const rest = aLow * bHigh + (middle & 0xffff);
  const high = aHigh * bHigh + Math.floor(middle / 0x10000) + Math.floor(rest / 0x10000);
  return [high >>> 0, Math.imul(a, b) >>> 0];
}

/** Four 32-bit words. */
export type Words = readonly [number, number, number, number];

/**
 * The block of random words that belongs to a counter: Philox 4×32 with ten rounds.
 *
 * Range    whole numbers in 0 … 2³² − 1
 * Source   Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011, §3.3
 */
export function philox(counter: Words, key: readonly [number, number]): Words {
  let [a, b, c, d] = counter;
  let [k, l] = key;
  for (let round = 0; round < 10; round++) {
    const [high0, low0] = multiply(0xd2511f53, a);
    const [high1, low1] = multiply(0xcd9e8d57, c);
    [a, b, c, d] = [(high1 ^ b ^ k) >>> 0, low1, (high0 ^ d ^ l) >>> 0, low0];
    k = (k + 0x9e3779b9) >>> 0;
    l = (l + 0xbb67ae85) >>> 0;
  }
  return [a, b, c, d];
}
