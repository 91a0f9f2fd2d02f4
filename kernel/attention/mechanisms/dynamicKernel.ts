import type { Value } from "../../graph/index.js";
import { build } from "../../graph/index.js";
import { OptionError } from "../../tensor/index.js";
import type { Grid } from "../grid.js";
import { gridOf, tokensAround } from "../grid.js";
import { spread, whole } from "../groups.js";
import { lengthOf, table } from "../lengths.js";
import type { Mechanism } from "../mechanism.js";
import { mechanism, sizesOf } from "../mechanism.js";
import { dot } from "../reference.js";
import { perHead } from "../steps.js";

interface DynamicKernelOptions {
  readonly grid: Grid;
  /** Side of the kernels; odd. */
  readonly window: number;
}

/** Whether a token is averaged into a cell of a coarse picture of `window` by `window`, which may overlap. */
function isIn(cell: number, token: number, window: number, [rows, columns]: readonly [number, number]): boolean {
  const holds = (part: number, at: number, size: number): boolean =>
    at >= Math.floor((part * size) / window) && at < Math.ceil(((part + 1) * size) / window);
  return (
    holds(Math.floor(cell / window), Math.floor(token / columns), rows) &&
    holds(cell % window, token % columns, columns)
  );
}

function checkWindow(window: number): void {
  if (Number.isInteger(window) && window >= 1 && window % 2 === 1) return;
  throw new OptionError(`dynamicKernel: window must be an odd whole number, got ${window}`);
}

/**
 * A convolution whose kernels the picture makes itself, channel by channel, and whose weights compete.
 *
 *   κ_c = M_h · (means of v_c over a coarse picture of w × w) + m_h        κ̂_c = κ_c − σ(γ_h)·mean(κ_c)
 *   z[i,c] = Σ κ̂_c[i − j]·v[j,c] over the w² tokens around i, 0 beyond the border
 *
 * The pattern is the mean over channels of κ̂. Queries and keys have no say.
 *
 * Range    any weights; γ → −∞ is a dynamic convolution, M = 0 too an ordinary one with one kernel for a head
 * Source   ATConv, arXiv:2510.20092: kernels from context, and lateral inhibition
 * Differs  the map from context to kernel is one matrix for each head; projections and gate around it stand outside
 */
export const dynamicKernel: Mechanism<DynamicKernelOptions> = mechanism<DynamicKernelOptions>({
  name: "dynamicKernel",
  summary: "a convolution whose kernels the picture makes itself, and whose weights compete",
  source: "arXiv:2510.20092, kernels from context and lateral inhibition",
  differs: "one matrix for each head maps context to kernels; projections and gate stand outside",
  rows: [174],
  defaults: { grid: "square", window: 3 },
  promises: { sees: "all", rows: "free", mixesValues: false },
  cost: { time: "T·w²·D", state: "not causal" },
  parameters: ({ heads }, { window }) => ({
    map: { shape: [heads, window * window, window * window], initial: { std: 1 / window } },
    kernel: { shape: [heads, window * window], initial: { std: 1 / window } },
    inhibition: { shape: [heads], initial: 0 },
  }),
  build: ({ q, k, v, parameters }, { grid: asked, window }) => {
    checkWindow(window);
    const sizes = sizesOf("dynamicKernel", { q, k, v });
    const { batch, heads } = sizes;
    const length = lengthOf("dynamicKernel", sizes);
    const grid = gridOf("dynamicKernel", asked, length);
    const n = window * window;
    const cells = table(q, [n, length], (cell, token) => Number(isIn(cell, token, window, grid)));
    const values = perHead(v, heads);
    const context = build.div(build.matMul(cells, values), build.reduceSum(cells, [1], true)); // [B,H,n,E]
    const kernel = build.add(build.matMul(parameters["map"], context), build.unsqueeze(parameters["kernel"], [2]));
    const share = build.unsqueeze(build.sigmoid(parameters["inhibition"]), [1, 2]); // [H,1,1]
    const competing = build.sub(kernel, build.mul(share, build.reduceMean(kernel, [2], true))); // [B,H,n,E]
    const around = tokensAround(grid, window);
    const places = whole(
      [length, n],
      around.flat().map((token) => Math.max(token, 0)),
    );
    const inside = table(q, [length, n], (token, at) => Number(around[token][at] >= 0));
    const near: Value = build.mul(build.gather(values, places, 2), build.unsqueeze(inside, [2])); // [B,H,T,n,E]
    const shared = build.unsqueeze(build.reduceMean(competing, [3]), [2]); // [B,H,1,n]
    return {
      z: build.reduceSum(build.mul(near, build.unsqueeze(competing, [2])), [3]),
      pattern: spread(build.mul(shared, inside), build.expand(places, [batch, heads, length, n]), length),
    };
  },
  reference: ({ v, head, parameters }, { grid: asked, window }) => {
    const grid = gridOf("dynamicKernel", asked, v.length);
    const [n, reach] = [window * window, (window - 1) / 2];
    const cells = Array.from({ length: n }, (_, cell) =>
      v.flatMap((__, token) => (isIn(cell, token, window, grid) ? [token] : [])),
    );
    const share = 1 / (1 + Math.exp(-parameters["inhibition"][head]));
    const kernels = v[0].map((_, c) => {
      const context = cells.map((tokens) => tokens.reduce((sum, token) => sum + v[token][c], 0) / tokens.length);
      const raw = context.map((__, at) => {
        const first = (head * n + at) * n;
        return dot(context, parameters["map"].slice(first, first + n)) + parameters["kernel"][head * n + at];
      });
      const mean = raw.reduce((a, b) => a + b, 0) / n;
      return raw.map((x) => x - share * mean);
    });
    const weight = (c: number, i: number, j: number): number => {
      const down = Math.floor(j / grid[1]) - Math.floor(i / grid[1]);
      const right = (j % grid[1]) - (i % grid[1]);
      if (Math.abs(down) > reach || Math.abs(right) > reach) return 0;
      return kernels[c][(down + reach) * window + right + reach];
    };
    return {
      z: v.map((row, i) => row.map((_, c) => v.reduce((sum, other, j) => sum + weight(c, i, j) * other[c], 0))),
      pattern: v.map((row, i) => v.map((_, j) => row.reduce((sum, __, c) => sum + weight(c, i, j), 0) / row.length)),
    };
  },
  alsoAsked: [{ grid: [2, 8] }],
  askedOn: { queries: 16 },
});
