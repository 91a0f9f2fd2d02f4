import type { Value } from "../../graph/index.js";
import { build } from "../../graph/index.js";
import { wholeNumber } from "../../tensor/index.js";
import type { Grid } from "../grid.js";
import { checkDivides, fromPicture, gridOf, tiles, toPicture, unpooled } from "../grid.js";
import { lengthOf } from "../lengths.js";
import type { Mechanism } from "../mechanism.js";
import { mechanism, sizesOf } from "../mechanism.js";
import type { Rows } from "../reference.js";
import { softmaxRow } from "../reference.js";
import { perHead } from "../steps.js";

interface StripOptions {
  readonly grid: Grid;
  /** Side of the squares of keys and values that are averaged. */
  readonly pool: number;
  /** Channels by which queries and keys are compared. */
  readonly channels: number;
}

/**
 * Attention made cheap in both directions: keys and values are averaged over squares, and compared by very few channels.
 *
 *   pattern over squares = softmax((q·A)·(k̄·B)ᵀ / √c),  A, B [D,c], k̄: means over squares        z = pattern · v̄
 *
 * Range    rows sum to 1
 * Source   strip self-attention of S2AFormer, arXiv:2505.22195 §3
 * Differs  squares are averaged, not convolved
 */
export const strip: Mechanism<StripOptions> = mechanism<StripOptions>({
  name: "strip",
  summary: "keys and values averaged over squares, and compared by very few channels",
  source: "arXiv:2505.22195 §3",
  differs: "squares are averaged, not convolved",
  rows: [155],
  defaults: { grid: "square", pool: 2, channels: 1 },
  promises: { sees: "all", rows: "one", mixesValues: true },
  cost: { time: "T²/r²·(c + D)", state: "not causal" },
  parameters: ({ heads, headDim }, { channels }) => {
    wholeNumber("strip", "channels", channels);
    const initial = { std: 1 / Math.sqrt(headDim) };
    return {
      ofQueries: { shape: [heads, headDim, channels], initial },
      ofKeys: { shape: [heads, headDim, channels], initial },
    };
  },
  build: ({ q, k, v, parameters }, { grid: asked, pool, channels }) => {
    const sizes = sizesOf("strip", { q, k, v });
    const { heads } = sizes;
    const length = lengthOf("strip", sizes);
    const grid = gridOf("strip", asked, length);
    checkDivides("strip", "pool", pool, grid);
    const pooled = (x: Value): Value =>
      fromPicture(build.averagePool(toPicture(perHead(x, heads), grid), [pool, pool]), heads); // [B,H,M,X]
    const keys = build.matMul(pooled(k), parameters["ofKeys"]); // [B,H,M,c]
    const products = build.matMul(build.matMul(q, parameters["ofQueries"]), build.transpose(keys, [0, 1, 3, 2]));
    const weights = build.softmax(build.mul(products, 1 / Math.sqrt(channels)), -1); // [B,H,T,M]
    return { z: build.matMul(weights, pooled(v)), pattern: unpooled(weights, grid, pool) };
  },
  reference: ({ q, k, head, parameters }, { grid: asked, pool, channels }) => {
    const squares = tiles(gridOf("strip", asked, k.length), [pool, pool]);
    const down = (row: readonly number[], name: string): number[] =>
      Array.from({ length: channels }, (_, c) =>
        row.reduce((sum, x, d) => sum + x * parameters[name][(head * row.length + d) * channels + c], 0),
      );
    const mean = (rows: Rows, tokens: readonly number[]): number[] =>
      rows[0].map((_, d) => tokens.reduce((sum, token) => sum + rows[token][d], 0) / tokens.length);
    const keys = squares.map((tokens) => down(mean(k, tokens), "ofKeys"));
    return {
      pattern: q.map((row) => {
        const asking = down(row, "ofQueries");
        const scores = keys.map((key) => key.reduce((sum, x, c) => sum + x * asking[c], 0) / Math.sqrt(channels));
        const weights = softmaxRow(scores);
        const at = (token: number): number => squares.findIndex((tokens) => tokens.includes(token));
        return k.map((_, j) => weights[at(j)] / (pool * pool));
      }),
    };
  },
  alsoAsked: [{ grid: [2, 8], pool: 1, channels: 2 }],
  askedOn: { queries: 16 },
});
