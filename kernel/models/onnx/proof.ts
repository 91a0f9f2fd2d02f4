import type { Tensor } from "../../tensor/index.js";
import type { Batch } from "../family.js";

/** The most that a row of the last axis sums to something else than 1, or 0 where nothing is seen. */
export function rowSumError(pattern: Tensor): number {
  const keys = pattern.shape.at(-1)!;
  const numbers = pattern.numbers();
  let worst = 0;
  for (let start = 0; start < numbers.length; start += keys) {
    let sum = 0;
    for (let k = start; k < start + keys; k++) sum += numbers[k];
    worst = Math.max(worst, Math.min(Math.abs(sum - 1), Math.abs(sum)));
    if (Number.isNaN(sum)) return NaN;
  }
  return worst;
}

/**
 * The largest difference between pattern · values and z, over the largest |z|.
 *
 * Shapes   pattern […,Q,K] · values […,K,D] · z […,Q,D], leading axes equal
 * Range    Infinity where the shapes do not fit
 */
export function mixError(pattern: Tensor, values: Tensor, z: Tensor): number {
  const [queries, keys] = pattern.shape.slice(-2);
  const width = values.shape.at(-1)!;
  const leading = pattern.shape.slice(0, -2).join();
  const fits =
    values.shape.at(-2) === keys &&
    z.shape.slice(-2).join() === `${queries},${width}` &&
    [values, z].every(({ shape }) => shape.slice(0, -2).join() === leading);
  if (!fits) return Infinity;
  const [p, v, out] = [pattern, values, z].map((tensor) => tensor.numbers());
  let [worst, largest] = [0, 0];
  for (let i = 0; i < out.length; i++) {
    const d = i % width;
    const row = (i - d) / width;
    const matrix = Math.floor(row / queries);
    let sum = 0;
    for (let k = 0; k < keys; k++) sum += p[row * keys + k] * v[(matrix * keys + k) * width + d];
    worst = Math.max(worst, Math.abs(sum - out[i]));
    largest = Math.max(largest, Math.abs(out[i]));
  }
  return largest === 0 ? 0 : worst / largest;
}

/**
 * The largest difference of two tensors over the largest number in the second, where tokens are real.
 *
 * Shapes   a, b [B,T,…] with T that of the prompts or of the decoder, or any where no axes are those of the batch
 * Range    Infinity where the shapes differ, or one has NaN where the other has none
 */
export function relativeError(a: Tensor, b: Tensor, { size, decoder, ...prompts }: Batch): number {
  if (a.shape.join() !== b.shape.join()) return Infinity;
  const { length, attentionMask } = decoder && decoder.length === b.shape[1] ? decoder : prompts;
  const [x, y] = [a.numbers(), b.numbers()];
  const perToken = b.shape[0] === size && b.shape[1] === length ? x.length / (size * length) : Infinity;
  let [worst, largest] = [0, 0];
  for (let i = 0; i < x.length; i++) {
    if (attentionMask[Math.floor(i / perToken)] === 0) continue;
    if (Number.isNaN(x[i]) !== Number.isNaN(y[i])) return Infinity;
    worst = Math.max(worst, Math.abs(x[i] - y[i]) || 0);
    largest = Math.max(largest, Math.abs(y[i]) || 0);
  }
  return largest === 0 ? worst : worst / largest;
}
