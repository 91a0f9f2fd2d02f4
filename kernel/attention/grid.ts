import type { Value } from "../graph/index.js";
import { build } from "../graph/index.js";
import { OptionError } from "../tensor/index.js";

/** Rows and columns of the tokens of a picture, which stand row by row; `"square"`: as many rows as columns. */
export type Grid = "square" | readonly [rows: number, columns: number];

/** Rows and columns of so many tokens; throws OptionError where they do not make them up. */
export function gridOf(place: string, grid: Grid, tokens: number): readonly [number, number] {
  const side = Math.round(Math.sqrt(tokens));
  const [rows, columns] = grid === "square" ? [side, side] : grid;
  if (Number.isInteger(rows) && rows >= 1 && Number.isInteger(columns) && rows * columns === tokens)
    return [rows, columns];
  const got = typeof grid === "string" ? `"${grid}"` : `[${grid.join(", ")}]`;
  throw new OptionError(`${place}: grid must be [rows, columns] with a product of ${tokens} tokens, got ${got}`);
}

/** Throws OptionError unless `size` parts fit an axis without rest. */
export function checkDivides(place: string, name: string, size: number, [rows, columns]: readonly number[]): void {
  if (Number.isInteger(size) && size >= 1 && rows % size === 0 && columns % size === 0) return;
  throw new OptionError(`${place}: ${name} must divide ${rows} rows and ${columns} columns, got ${size}`);
}

/** Token numbers of every tile of `height` by `width`, tiles and tokens row by row: [n][height·width]. */
export function tiles(
  [rows, columns]: readonly [number, number],
  [height, width]: readonly [number, number],
): number[][] {
  const across = columns / width;
  return Array.from({ length: (rows / height) * across }, (_, tile) => {
    const [top, left] = [Math.floor(tile / across) * height, (tile % across) * width];
    return Array.from(
      { length: height * width },
      (__, at) => (top + Math.floor(at / width)) * columns + left + (at % width),
    );
  });
}

/** The `window` × `window` tokens around every token, row by row, −1 beyond the border: [T][window²]; `window` is odd. */
export function tokensAround([rows, columns]: readonly [number, number], window: number): number[][] {
  const reach = (window - 1) / 2;
  return Array.from({ length: rows * columns }, (_, token) =>
    Array.from({ length: window * window }, (__, at) => {
      const row = Math.floor(token / columns) - reach + Math.floor(at / window);
      const column = (token % columns) - reach + (at % window);
      return row < 0 || column < 0 || row >= rows || column >= columns ? -1 : row * columns + column;
    }),
  );
}

/** Tokens as a picture per head and channel: [B,H,T,E] → [B,H·E,rows,columns]. */
export function toPicture(x: Value, grid: readonly [number, number]): Value {
  const [batch, heads, , channels] = x.shape;
  return build.reshape(build.transpose(x, [0, 1, 3, 2]), [batch, (heads as number) * (channels as number), ...grid]);
}

/** A picture as tokens again: [B,H·E,rows,columns] → [B,H,T,E]. */
export function fromPicture(x: Value, heads: number): Value {
  const [batch, channels, rows, columns] = x.shape as [Value["shape"][0], number, number, number];
  return build.transpose(build.reshape(x, [batch, heads, channels / heads, rows * columns]), [0, 1, 3, 2]);
}

/** Weights of squares of `pool` by `pool` tokens, shared equally among their tokens: [B,H,Q,M] → [B,H,Q,T]. */
export function unpooled(weights: Value, [rows, columns]: readonly [number, number], pool: number): Value {
  const [batch, heads, queries] = weights.shape;
  const [down, across] = [rows / pool, columns / pool];
  const apart = build.reshape(weights, [batch, heads, queries, down, 1, across, 1]);
  const repeated = build.expand(apart, [batch, heads, queries, down, pool, across, pool]);
  return build.div(build.reshape(repeated, [batch, heads, queries, rows * columns]), pool * pool);
}
