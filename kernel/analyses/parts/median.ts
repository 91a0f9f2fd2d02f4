/**
 * The middle one of all magnitudes, or the mean of the two middle ones.
 *
 * Numbers are counted by their bits, which grow with the magnitude: nothing is copied or sorted.
 *
 * Range    NaN of no numbers; NaN counts as larger than any number
 */
export function medianSize(rows: readonly Float32Array[]): number {
  const bits = rows.map(({ buffer, byteOffset, length }) => new Uint32Array(buffer, byteOffset, length));
  const count = rows.reduce((sum, { length }) => sum + length, 0);
  if (count === 0) return NaN;
  const upper = new Uint32Array(2 ** 15);
  for (const row of bits) for (let i = 0; i < row.length; i++) upper[(row[i] & magnitude) >>> 16]++;
  const [low, high] = [(count - 1) >>> 1, count >>> 1].map((rank) => {
    const [half, before] = ranked(upper, rank);
    const lower = new Uint32Array(2 ** 16);
    for (const row of bits) {
      for (let i = 0; i < row.length; i++) if ((row[i] & magnitude) >>> 16 === half) lower[row[i] & 0xffff]++;
    }
    const [rest] = ranked(lower, rank - before);
    return new Float32Array(Uint32Array.of(half * 2 ** 16 + rest).buffer)[0];
  });
  return (low + high) / 2;
}

/** All bits but the sign. */
const magnitude = 0x7fffffff;

/** In which bin lies what has this rank, and how many come in bins before it. */
function ranked(counts: Uint32Array, rank: number): readonly [bin: number, before: number] {
  let [bin, before] = [0, 0];
  while (before + counts[bin] <= rank) before += counts[bin++];
  return [bin, before];
}
