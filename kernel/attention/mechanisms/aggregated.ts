import type { Value } from "../../graph/index.js";
import { build, constant } from "../../graph/index.js";
import { OptionError, packNumbers, Tensor } from "../../tensor/index.js";
import type { Grid } from "../grid.js";
import { checkDivides, fromPicture, gridOf, tiles, tokensAround, toPicture, unpooled } from "../grid.js";
import { spread, whole } from "../groups.js";
import { lengthOf, table } from "../lengths.js";
import type { Mechanism } from "../mechanism.js";
import { mechanism, sizesOf } from "../mechanism.js";
import type { Rows } from "../reference.js";
import { dot, softmaxRow } from "../reference.js";
import { atUnitLength, hiddenScore, perHead } from "../steps.js";

interface AggregatedOptions {
  readonly grid: Grid;
  /** Side of the neighbourhood that a query sees token by token; odd. */
  readonly window: number;
  /** Side of the squares whose means every query sees. */
  readonly pool: number;
}

/** log(e^(1/0.24) − 1): a temperature that starts at 1/0.24. */
const initialTemperature = 4.1510587;

/**
 * What an eye sees: the tokens around the query one by one and the whole picture in means, in one softmax.
 *
 *   s = softplus(τ_h)·log(N_i) · (q̂_i + QE)·k̂, over the w² neighbours (plus a bias for each place) and the pooled keys
 *   z_i = (softmax's share of the neighbours + q̂_i·T + b)·v + softmax's share of the pooled · pooled v
 *
 * N_i counts the keys that query i sees; q̂, k̂ have length 1; T [D,w²] and b are learned. Weights of what lies beyond the
 * border are 0.
 *
 * Range    rows sum to 1 where T and b are 0
 * Source   TransNeXt, arXiv:2311.17132 §3.1–3.3
 * Differs  means of keys and values are pooled, without the convolution, norm and GELU before it; no bias by the places of
 *          pooled keys
 */
export const aggregated: Mechanism<AggregatedOptions> = mechanism<AggregatedOptions>({
  name: "aggregated",
  summary: "neighbours one by one and the whole picture in means, in one softmax of cosines",
  source: "arXiv:2311.17132 §3.1–3.3",
  differs: "keys and values are pooled as they are; no bias by the places of pooled keys",
  rows: [21],
  defaults: { grid: "square", window: 3, pool: 2 },
  promises: { sees: "all", rows: "free", mixesValues: true },
  cost: { time: "T·(w² + T/p²)·D", state: "not causal" },
  parameters: ({ heads, headDim }, { window }) => ({
    temperature: { shape: [heads], initial: initialTemperature },
    queryEmbedding: { shape: [heads, headDim], initial: { std: 0.02 } },
    placeBias: { shape: [heads, window * window], initial: 0 },
    tokens: { shape: [heads, headDim, window * window], initial: { std: 0.02 } },
    tokenBias: { shape: [heads, window * window], initial: 0 },
  }),
  build: ({ q, k, v, parameters }, { grid: asked, window, pool }) => {
    const sizes = sizesOf("aggregated", { q, k, v });
    const { batch, heads } = sizes;
    const length = lengthOf("aggregated", sizes);
    const grid = gridOf("aggregated", asked, length);
    checkDivides("aggregated", "pool", pool, grid);
    if (!Number.isInteger(window) || window < 1 || window % 2 === 0)
      throw new OptionError(`aggregated: window must be an odd whole number, got ${window}`);
    const near = tokensAround(grid, window);
    const [n, means] = [window * window, length / (pool * pool)];
    const places = whole(
      [length, n],
      near.flat().map((key) => Math.max(key, 0)),
    );
    const isInside = constant(
      new Tensor(
        "bool",
        [length, n],
        packNumbers(
          "bool",
          near.flat().map((key) => Number(key >= 0)),
        ),
      ),
    );
    const perHeadRow = (x: Value): Value => build.unsqueeze(x, [1]); // [H,X] → [H,1,X]
    const pooled = (x: Value): Value => fromPicture(build.averagePool(toPicture(x, grid), [pool, pool]), heads);
    const [keys, values] = [perHead(k, heads), perHead(v, heads)];
    const direction = atUnitLength(q, -1);
    const counts = table(q, [length, 1], (i) => Math.log(near[i].filter((key) => key >= 0).length + means));
    const sharpness = build.mul(build.softplus(build.unsqueeze(parameters["temperature"], [1, 2])), counts); // [H,T,1]
    const asking = build.mul(build.add(direction, perHeadRow(parameters["queryEmbedding"])), sharpness);
    const around = build.gather(atUnitLength(keys, -1), places, 2); // [B,H,T,n,D]
    const nearScores = build.add(
      build.squeeze(build.matMul(around, build.unsqueeze(asking, [4])), [4]),
      perHeadRow(parameters["placeBias"]),
    );
    const farScores = build.matMul(asking, build.transpose(atUnitLength(pooled(keys), -1), [0, 1, 3, 2])); // [B,H,T,P]
    const weights = build.softmax(build.concat([build.where(isInside, nearScores, hiddenScore), farScores], 3), -1);
    const far = build.slice(weights, 3, n, n + means);
    const learned = build.add(build.matMul(direction, parameters["tokens"]), perHeadRow(parameters["tokenBias"]));
    const local = build.add(build.slice(weights, 3, 0, n), build.where(isInside, learned, 0));
    const nearValues = build.matMul(build.unsqueeze(local, [3]), build.gather(values, places, 2)); // [B,H,T,1,E]
    const all = build.expand(places, [batch, heads, length, n]);
    return {
      z: build.add(build.squeeze(nearValues, [3]), build.matMul(far, pooled(values))),
      pattern: build.add(spread(local, all, length), unpooled(far, grid, pool)),
    };
  },
  reference: ({ q, k, head, heads, parameters }, { grid: asked, window, pool }) => {
    const grid = gridOf("aggregated", asked, k.length);
    const reach = (window - 1) / 2;
    const part = (name: string): number[] => {
      const size = parameters[name].length / heads;
      return parameters[name].slice(head * size, (head + 1) * size);
    };
    const normal = (row: readonly number[]): number[] => row.map((x) => x / Math.sqrt(dot(row, row)));
    const mean = (rows: Rows, tokens: readonly number[]): number[] =>
      rows[0].map((_, d) => tokens.reduce((sum, token) => sum + rows[token][d], 0) / tokens.length);
    const squares = tiles(grid, [pool, pool]);
    const temperature = Math.log(1 + Math.exp(parameters["temperature"][head]));
    const pattern = q.map((row, i) => {
      const direction = normal(row);
      const seen = k.flatMap((_, j) => {
        const down = Math.floor(j / grid[1]) - Math.floor(i / grid[1]);
        const right = (j % grid[1]) - (i % grid[1]);
        const isNear = Math.abs(down) <= reach && Math.abs(right) <= reach;
        return isNear ? [{ key: j, at: (down + reach) * window + right + reach }] : [];
      });
      const sharpness = temperature * Math.log(seen.length + squares.length);
      const asking = direction.map((x, d) => sharpness * (x + part("queryEmbedding")[d]));
      const weights = softmaxRow([
        ...seen.map(({ key, at }) => dot(asking, normal(k[key])) + part("placeBias")[at]),
        ...squares.map((tokens) => dot(asking, normal(mean(k, tokens)))),
      ]);
      const result = new Array<number>(k.length).fill(0);
      seen.forEach(({ key, at }, n) => {
        const learned = direction.reduce((sum, x, d) => sum + x * part("tokens")[d * window * window + at], 0);
        result[key] += weights[n] + learned + part("tokenBias")[at];
      });
      squares.forEach((tokens, s) =>
        tokens.forEach((token) => (result[token] += weights[seen.length + s] / tokens.length)),
      );
      return result;
    });
    return { pattern };
  },
  alsoAsked: [{ grid: [2, 8], window: 5, pool: 1 }],
  askedOn: { queries: 16 },
});
