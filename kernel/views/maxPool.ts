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
    const base = Math.floor(row / block) * width;
    for (let column = 0; column < columns; column++) {
      const at = base + Math.floor(column / block);
      const value = values[row * columns + column];
      if (value > pooled[at]) pooled[at] = value;
    }
  }
  return pooled;
}
