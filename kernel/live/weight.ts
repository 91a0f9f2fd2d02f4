import { headAsked, index, type Question } from "./question.js";

/** The largest weight of a square of a pattern, as the run holds it: which query and key, and its rank in its row. */
export const weight: Question = (run, asked) => {
  const { data, shape } = run.headPattern(headAsked(run, asked));
  const [queries, keys] = shape;
  const block = 1 + index(asked, "coarseness", Math.max(queries, keys));
  const row = index(asked, "row", Math.ceil(queries / block)) * block;
  const column = index(asked, "column", Math.ceil(keys / block)) * block;
  let best = row * keys + column;
  for (let q = row; q < Math.min(row + block, queries); q++) {
    for (let k = column; k < Math.min(column + block, keys); k++) {
      if (data[q * keys + k] > data[best]) best = q * keys + k;
    }
  }
  const query = Math.floor(best / keys);
  const line = data.subarray(query * keys, (query + 1) * keys);
  const rank = 1 + line.reduce((larger, each) => larger + (each > data[best] ? 1 : 0), 0);
  return { data: { query, key: best % keys, weight: data[best], rank } };
};
