import { build } from "../../graph/index.js";
import { random, wholeNumber } from "../../tensor/index.js";
import type { Grid } from "../grid.js";
import { checkDivides, gridOf, tiles } from "../grid.js";
import { whole } from "../groups.js";
import { lengthOf } from "../lengths.js";
import type { Mechanism } from "../mechanism.js";
import { mechanism, sizesOf } from "../mechanism.js";
import { dot, product, softmaxRow } from "../reference.js";
import type { Scale } from "../steps.js";
import { perHead, scaleOf } from "../steps.js";

interface ProxiesOptions {
  readonly scale: Scale;
  readonly grid: Grid;
  /** Side of the windows that choose a proxy each. */
  readonly window: number;
  /** Which token of each window is its proxy. */
  readonly seed: number;
}

/** One token of each window, drawn once per seed. */
function proxiesOf(grid: readonly [number, number], { window, seed }: ProxiesOptions): number[] {
  checkDivides("proxies", "window", window, grid);
  wholeNumber("proxies", "seed", seed, 0);
  const windows = tiles(grid, [window, window]);
  const draws = random(seed).uniform([windows.length]).numbers();
  return windows.map((tokens, at) => tokens[Math.min(Math.floor(draws[at] * tokens.length), tokens.length - 1)]);
}

/**
 * One token of each window of a picture stands for it: the proxies attend to each other, then every token to them.
 *
 *   z = softmax(scale · q·k_pᵀ) · softmax(scale · q_p·k_pᵀ) · v_p,  p: the proxies
 *
 * Range    rows sum to 1; the pattern has rank ≤ the number of windows
 * Source   global interaction of PT-DiT, arXiv:2409.04005 §3.2
 * Differs  proxies are drawn once per seed, not per step; the windows' own attention is a layer of its own, `halo` with
 *          halo 0; both products use the same projections
 */
export const proxies: Mechanism<ProxiesOptions> = mechanism<ProxiesOptions>({
  name: "proxies",
  summary: "one token of each window stands for it; every token reads what the proxies read",
  source: "arXiv:2409.04005 §3.2",
  differs: "proxies are drawn once per seed; attention within windows is a layer of its own",
  rows: [110],
  defaults: { scale: "1/√D", grid: "square", window: 2, seed: 0 },
  promises: { sees: "all", rows: "one", mixesValues: true },
  cost: { time: "(T²/w² + T²/w⁴)·D", state: "not causal" },
  build: ({ q, k, v }, options) => {
    const sizes = sizesOf("proxies", { q, k, v });
    const length = lengthOf("proxies", sizes);
    const chosen = proxiesOf(gridOf("proxies", options.grid, length), options);
    const at = whole([chosen.length], chosen);
    const factor = scaleOf(options.scale, sizes.headDim);
    const keys = build.transpose(build.gather(perHead(k, sizes.heads), at, 2), [0, 1, 3, 2]); // [B,H,D,P]
    const weights = (x: typeof q): typeof q => build.softmax(build.mul(build.matMul(x, keys), factor), -1);
    const [asked, read] = [weights(q), weights(build.gather(q, at, 2))]; // [B,H,T,P], [B,H,P,P]
    const values = build.gather(perHead(v, sizes.heads), at, 2);
    const places = build.oneHot(at, length, q.dtype);
    return {
      z: build.matMul(asked, build.matMul(read, values)),
      pattern: build.matMul(build.matMul(asked, read), places),
    };
  },
  reference: ({ q, k }, options) => {
    const chosen = proxiesOf(gridOf("proxies", options.grid, k.length), options);
    const factor = scaleOf(options.scale, q[0].length);
    const row = (query: readonly number[]): number[] => softmaxRow(chosen.map((p) => factor * dot(query, k[p])));
    const both = product(q.map(row), chosen.map((p) => row(q[p]))); // prettier-ignore
    return {
      pattern: both.map((weights) => k.map((_, j) => (chosen.includes(j) ? weights[chosen.indexOf(j)] : 0))),
    };
  },
  alsoAsked: [{ grid: [2, 8], window: 1 }],
  askedOn: { queries: 16 },
});
