import { build } from "../../graph/index.js";
import type { Grid } from "../grid.js";
import { checkDivides, fromPicture, gridOf, tiles, toPicture } from "../grid.js";
import { lengthOf } from "../lengths.js";
import type { Mechanism } from "../mechanism.js";
import { mechanism, sizesOf } from "../mechanism.js";
import { dot, product, softmaxRow } from "../reference.js";
import type { Scale } from "../steps.js";
import { mixed, products, scaleOf } from "../steps.js";

interface LookupOptions {
  readonly scale: Scale;
  readonly grid: Grid;
  /** Side of the squares of which each becomes one compressed token. */
  readonly pool: number;
}

/**
 * A few compressed tokens read all tokens and write back by the same scores, turned around.
 *
 *   S = scale · q̄·kᵀ [M,T], q̄: means of queries over squares        z = softmax over M of Sᵀ · softmax over T of S · v
 *
 * Range    rows sum to 1; the pattern has rank ≤ M
 * Source   bidirectional cross-attention of LookupViT, arXiv:2407.12753 §3
 * Differs  both directions in one step, without the compressed tokens' own block between them
 */
export const lookup: Mechanism<LookupOptions> = mechanism<LookupOptions>({
  name: "lookup",
  summary: "a few compressed tokens read all tokens and write back by the same scores",
  source: "arXiv:2407.12753 §3",
  differs: "both directions in one step, without the compressed tokens' own block between them",
  rows: [100],
  defaults: { scale: "1/√D", grid: "square", pool: 2 },
  promises: { sees: "all", rows: "one", mixesValues: true },
  cost: { time: "T·M·D", state: "not causal" },
  build: ({ q, k, v }, { scale, grid: asked, pool }) => {
    const sizes = sizesOf("lookup", { q, k, v });
    const grid = gridOf("lookup", asked, lengthOf("lookup", sizes));
    checkDivides("lookup", "pool", pool, grid);
    const asking = fromPicture(build.averagePool(toPicture(q, grid), [pool, pool]), sizes.heads); // [B,H,M,D]
    const scores = build.mul(products(asking, k), scaleOf(scale, sizes.headDim)); // [B,H,M,T]
    const read = build.softmax(scores, 3);
    const write = build.transpose(build.softmax(scores, 2), [0, 1, 3, 2]); // [B,H,T,M]
    return { z: build.matMul(write, mixed(read, v)), pattern: build.matMul(write, read) };
  },
  reference: ({ q, k }, { scale, grid: asked, pool }) => {
    const squares = tiles(gridOf("lookup", asked, k.length), [pool, pool]);
    const factor = scaleOf(scale, q[0].length);
    const scores = squares.map((tokens) => {
      const mean = q[0].map((_, d) => tokens.reduce((sum, token) => sum + q[token][d], 0) / tokens.length);
      return k.map((key) => factor * dot(mean, key));
    });
    const write = k.map((_, t) => softmaxRow(scores.map((row) => row[t])));
    return { pattern: product(write, scores.map(softmaxRow)) };
  },
  alsoAsked: [{ grid: [2, 8], pool: 1 }],
  askedOn: { queries: 16 },
});
