import { encodeTile, maxPool } from "../views/index.js";
import { headAsked, index, type Question } from "./question.js";

/**
 * One head as fine as asked: the largest weight of each block × block square, 1 for every weight.
 *
 * Shapes   two buffers: how many weights are kept of each row, and those, see `encodeTile`
 */
export const tile: Question = (run, asked) => {
  const pattern = run.headPattern(headAsked(run, asked));
  const [queries, keys] = pattern.shape;
  const block = 1 + index(asked, "coarseness", Math.max(queries, keys));
  const [rows, columns] = [Math.ceil(queries / block), Math.ceil(keys / block)];
  const { kept, weights } = encodeTile(maxPool(pattern.data, queries, keys, block), rows, columns);
  return { data: { rows, columns, block }, buffers: [kept, weights] };
};
