import type { Value } from "../../graph/index.js";
import { build } from "../../graph/index.js";
import { wholeNumber } from "../../tensor/index.js";
import { depthwise, depthwiseParameters, depthwiseRows } from "../depthwise.js";
import type { Grid } from "../grid.js";
import { checkDivides, gridOf, tiles } from "../grid.js";
import { inverse, spread, whole } from "../groups.js";
import { lengthOf } from "../lengths.js";
import type { Mechanism } from "../mechanism.js";
import { mechanism, sizesOf } from "../mechanism.js";
import type { Rows } from "../reference.js";
import { dot, normalisedRows, product, softmaxRow } from "../reference.js";
import { perHead } from "../steps.js";

interface BiLevelOptions {
  /** What q·k is multiplied by; `"1/√(H·D)"` follows the size of all heads together, as the paper does. */
  readonly scale: number | "1/√(H·D)";
  readonly grid: Grid;
  /** Regions along each side of the picture. */
  readonly regions: number;
  /** How many regions the tokens of a region see. */
  readonly count: number;
  /** Side of the kernels of the positional convolution of values; 0 for none. */
  readonly kernel: number;
}

/** Tokens of each region, [n][m]. */
function regionsOf(grid: readonly [number, number], { regions, count }: BiLevelOptions): number[][] {
  checkDivides("biLevel", "regions", regions, grid);
  wholeNumber("biLevel", "count", count);
  return tiles(grid, [grid[0] / regions, grid[1] / regions]);
}

function factorOf(scale: BiLevelOptions["scale"], heads: number, headDim: number): number {
  return scale === "1/√(H·D)" ? 1 / Math.sqrt(heads * headDim) : scale;
}

/**
 * Regions of a picture choose regions by their mean queries and keys; tokens attend to all tokens of the chosen ones.
 *
 *   regions seen from r = the `count` largest of Σ_h mean_r(q_h)·mean_s(k_h) over regions s, the same for all heads
 *   z = softmax(scale · q·kᵀ over the tokens of those) v + LePE(v)
 *
 * Range    rows of the pattern sum to 1; LePE is not in the pattern
 * Source   BiFormer, arXiv:2303.08810 §3.2
 */
export const biLevel: Mechanism<BiLevelOptions> = mechanism<BiLevelOptions>({
  name: "biLevel",
  summary: "regions of a picture choose the regions whose tokens theirs attend to",
  source: "arXiv:2303.08810 §3.2",
  rows: [65],
  defaults: { scale: "1/√(H·D)", grid: "square", regions: 4, count: 4, kernel: 5 },
  promises: { sees: "all", rows: "one", mixesValues: false },
  cost: { time: "T·(k·T/S² + S²)·D", state: "not causal" },
  parameters: (sizes, { kernel }) => depthwiseParameters(sizes, kernel),
  build: ({ q, k, v, parameters }, options) => {
    const sizes = sizesOf("biLevel", { q, k, v });
    const { batch, heads, headDim, valueDim } = sizes;
    const tokens = lengthOf("biLevel", sizes);
    const grid = gridOf("biLevel", options.grid, tokens);
    const regions = regionsOf(grid, options);
    const [n, m, kept] = [regions.length, regions[0].length, Math.min(options.count, regions.length)];
    const places = whole([n, m], regions.flat());
    const values = perHead(v, heads);
    const asking = build.gather(q, places, 2); // [B,H,n,m,D]
    const asked = build.gather(perHead(k, heads), places, 2);
    const affinity = build.matMul(
      build.reduceMean(asking, [3]),
      build.transpose(build.reduceMean(asked, [3]), [0, 1, 3, 2]),
    );
    const { indices } = build.topK(build.reduceSum(affinity, [1]), kept, 2); // [B,n,kept]
    const chosen = (x: Value, last: number): Value => {
      const at = build.expand(build.reshape(indices, [batch, 1, n * kept, 1]), [batch, heads, n * kept, m * last]);
      const rows = build.gatherElements(build.reshape(x, [batch, heads, n, m * last]), at, 2);
      return build.reshape(rows, [batch, heads, n, kept * m, last]);
    };
    const scores = build.matMul(asking, build.transpose(chosen(asked, headDim), [0, 1, 2, 4, 3]));
    const weights = build.softmax(build.mul(scores, factorOf(options.scale, heads, headDim)), -1); // [B,H,n,m,kept·m]
    const back = whole([tokens], inverse(regions.flat()));
    const inOrder = (x: Value, last: number): Value =>
      build.gather(build.reshape(x, [batch, heads, tokens, last]), back, 2);
    const seen = chosen(build.expand(build.reshape(places, [1, 1, n, m]), [batch, heads, n, m]), 1);
    const keys = build.expand(build.transpose(seen, [0, 1, 2, 4, 3]), [batch, heads, n, m, kept * m]);
    const z = inOrder(build.matMul(weights, chosen(build.gather(values, places, 2), valueDim)), valueDim);
    const pattern = spread(inOrder(weights, kept * m), inOrder(keys, kept * m), tokens);
    if (options.kernel === 0) return { pattern, z };
    const bias = build.unsqueeze(parameters["kernelBias"], [1]); // [H,1,E]
    return { pattern, z: build.add(z, build.add(depthwise(values, parameters["kernel"], grid), bias)) };
  },
  reference: (given, options) => {
    const { q, k, v, all, head, heads, parameters } = given;
    const grid = gridOf("biLevel", options.grid, k.length);
    const regions = regionsOf(grid, options);
    const mean = (rows: Rows, tokens: readonly number[]): number[] =>
      rows[0].map((_, d) => tokens.reduce((sum, token) => sum + rows[token][d], 0) / tokens.length);
    const affinity = (r: number, s: number): number =>
      all.q.reduce(
        (sum, rows, h) =>
          sum + dot(mean(rows, regions[r]), mean(all.k[Math.floor((h * all.k.length) / heads)], regions[s])),
        0,
      );
    const chosen = regions.map((_, r) =>
      regions
        .map((__, s) => [affinity(r, s), s])
        .sort(([a], [b]) => b - a)
        .slice(0, options.count)
        .map(([, s]) => s),
    );
    const regionOf = (token: number): number => regions.findIndex((tokens) => tokens.includes(token));
    const shown = { ...given, sees: (i: number, j: number) => chosen[regionOf(i)].includes(regionOf(j)) };
    const factor = factorOf(options.scale, heads, q[0].length);
    const pattern = normalisedRows(shown, (i, j) => factor * dot(q[i], k[j]), softmaxRow);
    const z = product(pattern, v);
    if (options.kernel === 0) return { pattern, z };
    const convolved = depthwiseRows(v, parameters["kernel"], { head, width: options.kernel, grid });
    const bias = parameters["kernelBias"].slice(head * v[0].length);
    return { pattern, z: z.map((row, t) => row.map((x, e) => x + convolved[t][e] + bias[e])) };
  },
  limits: [
    {
      when: "every region is chosen and the scale is that of one head",
      options: { count: 1000, scale: 1 / Math.sqrt(3), kernel: 0 },
      equals: "softmax",
    },
  ],
  alsoAsked: [
    { regions: 2, count: 2, kernel: 0 },
    { grid: [2, 8], regions: 2, count: 3, kernel: 3 },
  ],
  askedOn: { queries: 16 },
});
