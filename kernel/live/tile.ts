import { encodeHalf, maxPool } from "../views/index.js";
import { headAsked, index, type Question } from "./question.js";

/**
 * One head as fine as asked: the largest weight of each block × block square, 1 for every weight.
 *
 * Shapes   buffer float16 [⌈Q/block⌉, ⌈K/block⌉], little-endian
 */
export const tile: Question = (run, asked) => {
  const pattern = run.headPattern(headAsked(run, asked));
  const [queries, keys] = pattern.shape;
  const block = 1 + index(asked, "coarseness", Math.max(queries, keys));
  const pooled = maxPool(pattern.data, queries, keys, block);
  return {
    data: { rows: Math.ceil(queries / block), columns: Math.ceil(keys / block), block },
    buffers: [encodeHalf(pooled)],
  };
};
