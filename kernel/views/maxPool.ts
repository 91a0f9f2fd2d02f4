/**
 * The largest value of every `block` × `block` square; squares at the far edges may be smaller.
 *
 *   pooled[r, c] = max { values[q, k] : r·block ≤ q < (r+1)·block, c·block ≤ k < (c+1)·block }
 *
 * Shapes   values [Q,K] row-major → [⌈Q/block⌉, ⌈K/block⌉]
 */
export function maxPool(values: Float32Array, rows: number, columns: number, block: number): Float32Array {
  if (block === 1) return values;
  return poolWeights(values, rows, columns, block) ?? poolAny(values, rows, columns, block);
}

/** The bits of +∞: what lies above them as a whole number is no number, or negative. */
const infinity = 0x7f800000;

/**
 * The same for values ≥ 0, which weights nearly always are; undefined where some value is not. Their bits are ordered as they are, and
 * whole numbers are compared without a branch: twice as fast where weights are in no order. The zeros that end a row need no look.
 */
function poolWeights(values: Float32Array, rows: number, columns: number, block: number): Float32Array | undefined {
  const bits = new Int32Array(values.buffer, values.byteOffset, rows * columns);
  const width = Math.ceil(columns / block);
  const pooled = new Int32Array(Math.ceil(rows / block) * width);
  let seen = 0;
  for (let row = 0; row < rows; row++) {
    let at = Math.floor(row / block) * width;
    const start = row * columns;
    let end = start + columns;
    while (end > start && bits[end - 1] === 0) end--;
    for (let from = start; from < end; from += block, at++) {
      let largest = pooled[at];
      const to = Math.min(from + block, end);
      for (let place = from; place < to; place++) {
        const more = (bits[place] - largest) | 0;
        seen |= bits[place];
        largest += more & ~(more >> 31);
      }
      pooled[at] = largest;
    }
  }
  // One negative value leaves its sign in `seen`.
  return seen < 0 || pooled.some((largest) => largest > infinity) ? undefined : new Float32Array(pooled.buffer);
}

function poolAny(values: Float32Array, rows: number, columns: number, block: number): Float32Array {
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
