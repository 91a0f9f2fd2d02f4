/** Frames that the filter looks at, as in Whisper. */
const filterWidth = 7;

/**
 * The frame at which each token begins, by aligning tokens and frames along what the heads attend to.
 *
 *   Z[h,q,k] = median₇ over k of (A[h,q,k] − mean_q A) / std_q A
 *   the monotone path through −Σ_h Z / H of the least sum; a token begins where the path comes to its row
 *
 * Shapes   each head [tokens, frames]
 * Source   the paths: Sakoe and Chiba 1978; the standard scores and the filter: openai/whisper, timing.py, find_alignment
 */
export function tokenStarts(heads: readonly Float32Array[], tokens: number, frames: number): readonly number[] {
  const cost = new Float64Array(tokens * frames);
  for (const head of heads) {
    const scores = medians(standardised(head, tokens, frames), tokens, frames);
    scores.forEach((score, at) => (cost[at] -= score / heads.length));
  }
  const path = cheapestPath(cost, tokens, frames);
  return Array.from({ length: tokens }, (_, token) => path.find(([row]) => row === token)?.[1] ?? 0);
}

/** Standard scores of each frame over the tokens; 0 where all tokens are alike. */
function standardised(head: Float32Array, tokens: number, frames: number): Float64Array {
  const out = new Float64Array(tokens * frames);
  for (let frame = 0; frame < frames; frame++) {
    let [sum, squares] = [0, 0];
    for (let token = 0; token < tokens; token++) sum += head[token * frames + frame];
    const mean = sum / tokens;
    for (let token = 0; token < tokens; token++) squares += (head[token * frames + frame] - mean) ** 2;
    const deviation = Math.sqrt(squares / tokens);
    for (let token = 0; token < tokens && deviation > 0; token++) {
      out[token * frames + frame] = (head[token * frames + frame] - mean) / deviation;
    }
  }
  return out;
}

/** The median of each frame and its neighbours, mirrored at the ends; as it is where there are fewer frames than the filter needs. */
function medians(values: Float64Array, rows: number, frames: number): Float64Array {
  const reach = (filterWidth - 1) / 2;
  if (frames <= reach) return values;
  return values.map((_, at) => {
    const [row, frame] = [Math.floor(at / frames), at % frames];
    const near = Float64Array.from({ length: filterWidth }, (_, step) => {
      const place = Math.abs(frame + step - reach);
      return values[row * frames + (place < frames ? place : 2 * (frames - 1) - place)];
    });
    return near.sort()[reach];
  });
}

/**
 * The path from the first to the last square by steps down, right, or both, whose squares have the least sum.
 *
 * Shapes   cost [rows, columns]; [row, column] of each step
 */
export function cheapestPath(
  cost: Float64Array,
  rows: number,
  columns: number,
): readonly (readonly [number, number])[] {
  const sums = new Float64Array(rows * columns);
  const from = (row: number, column: number): number =>
    row < 0 || column < 0 ? Infinity : sums[row * columns + column];
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const before = Math.min(from(row - 1, column - 1), from(row - 1, column), from(row, column - 1));
      sums[row * columns + column] = cost[row * columns + column] + (row + column === 0 ? 0 : before);
    }
  }
  const path: (readonly [number, number])[] = [[rows - 1, columns - 1]];
  for (let [row, column] = path[0]; row + column > 0;) {
    const [both, down, right] = [from(row - 1, column - 1), from(row - 1, column), from(row, column - 1)];
    // Of equal sums the step along time, as in the source.
    if (both < down && both < right) [row, column] = [row - 1, column - 1];
    else if (down < both && down < right) row--;
    else column--;
    path.push([row, column]);
  }
  return path.reverse();
}
