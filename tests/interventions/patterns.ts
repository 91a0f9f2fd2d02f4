import type { Tensor } from "../../kernel/lib/index.js";

/** Two prompts, the second with padding at its end, for models of 4 query heads on 2 heads of keys and values, 3 layers. */
export const input = {
  inputIds: [
    [5, 6, 7, 8, 9, 10],
    [11, 12, 13, 14, 3, 3],
  ],
  attentionMask: [
    [1, 1, 1, 1, 1, 1],
    [1, 1, 1, 1, 0, 0],
  ],
};

/** A pattern, or scores, as nested loops read it. */
export function reader(tensor: Tensor): (b: number, h: number, q: number, k: number) => number {
  const [, heads, queries, keys] = tensor.shape as [number, number, number, number];
  return (b, h, q, k) => Number(tensor.data[((b * heads + h) * queries + q) * keys + k]);
}

/** The largest difference between a tensor [B,H,Q,K] and what a formula says of each element. */
export function worst(tensor: Tensor, expected: (b: number, h: number, q: number, k: number) => number): number {
  const [batch, heads, queries, keys] = tensor.shape as [number, number, number, number];
  const at = reader(tensor);
  let max = 0;
  for (let b = 0; b < batch; b++) {
    for (let h = 0; h < heads; h++) {
      for (let q = 0; q < queries; q++) {
        for (let k = 0; k < keys; k++) {
          const difference = Math.abs(at(b, h, q, k) - expected(b, h, q, k));
          if (!(difference <= max)) max = difference;
        }
      }
    }
  }
  return max;
}

export const indices = (length: number): number[] => Array.from({ length }, (_, i) => i);

export const sumOf = (length: number, term: (i: number) => number): number =>
  indices(length).reduce((sum, i) => sum + term(i), 0);
