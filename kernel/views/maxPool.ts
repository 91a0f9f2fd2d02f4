/**
 * The largest value of every `block` × `block` square; squares at the far edges may be smaller.
 *
 *   pooled[r, c] = max { values[q, k] : r·block ≤ q < (r+1)·block, c·block ≤ k < (c+1)·block }
 *
 * Shapes   values [Q,K] row-major → [⌈Q/block⌉, ⌈K/block⌉]
 */
export function maxPool(values: Float32Array, rows: number, columns: number, block: number): Float32Array {
  if (block === 1) return values;
  const width = Math.ceil(columns / block);
  const pooled = new Float32Array(Math.ceil(rows / block) * width).fill(-Infinity);
  for (let row = 0; row < rows; row++) {
    let at = Math.floor(row / block) * width;
    const end = (row + 1) * columns;
    for (let from = row * columns; from < end; from += block, at++) {
      let largest = pooled[at];
      const to = Math.min(from + block, end);
      for (let place = from; place < to; place++) if (values[place] > largest) largest = values[place];
      pooled[at] = largest;
    }
  }
  return pooled;
}
