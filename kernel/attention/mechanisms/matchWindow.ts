import type { Value } from "../../graph/index.js";
import { build } from "../../graph/index.js";
import { OptionError, wholeNumber } from "../../tensor/index.js";
import type { Grid } from "../grid.js";
import { gridOf } from "../grid.js";
import { spread, whole } from "../groups.js";
import { lengthOf, table } from "../lengths.js";
import type { Mechanism } from "../mechanism.js";
import { mechanism, sizesOf } from "../mechanism.js";
import { dot, softmaxRow } from "../reference.js";
import type { Scale } from "../steps.js";
import { perHead, scaleOf } from "../steps.js";

interface MatchWindowOptions {
  readonly scale: Scale;
  readonly grid: Grid;
  /** Side of the window around the matched place; odd. */
  readonly window: number;
  /** `"product"`: scale · q·k; `"distance"`: −Σ|q − k|, as the paper has it. */
  readonly similarity: "product" | "distance";
}

function reachOf(window: number, grid: readonly [number, number]): number {
  wholeNumber("matchWindow", "window", window);
  if (window % 2 === 1 && window < Math.min(...grid)) return (window - 1) / 2;
  throw new OptionError(`matchWindow: window must be odd and less than the sides ${grid.join(" and ")}, got ${window}`);
}

/** Whole and broken part of where the window starts along an axis, each [B,H,T]; it stays within the picture. */
function startOf(offset: Value, places: Value, size: number, window: number): { first: Value; rest: Value } {
  const centre = build.add(offset, places);
  const start = build.clip(build.sub(centre, (window - 1) / 2), 0, size - window);
  // The last whole window has no neighbour beyond it.
  const first = build.minimum(build.floor(start), size - window - 1);
  return { first, rest: build.sub(start, first) };
}

/**
 * A window around a place that each query says, between tokens as well: four whole windows, mixed by the distance to each.
 *
 *   centre of query i = its own place + (`row`, `column`), the gates
 *   pattern = Σ over the four windows around the centre of bilinear weight · softmax of the scores within that window
 *
 * Range    rows sum to 1, each over at most (w + 1)² keys; continuous in the gates
 * Source   BilinearSoftmax of MatchAttention, arXiv:2510.14260 §3
 * Differs  at a border the window moves inwards; the authors' code repeats the border's tokens
 */
export const matchWindow: Mechanism<MatchWindowOptions> = mechanism<MatchWindowOptions>({
  name: "matchWindow",
  summary: "a window around a place that each query says, between tokens as well",
  source: "arXiv:2510.14260 §3",
  differs: "at a border the window moves inwards instead of repeating the border",
  rows: [188],
  defaults: { scale: "1/√D", grid: "square", window: 3, similarity: "distance" },
  promises: { sees: "all", rows: "one", mixesValues: true },
  cost: { time: "T·(w + 1)²·D", state: "not causal" },
  gates: {
    row: { per: "head", range: [-Infinity, Infinity], initial: 0 },
    column: { per: "head", range: [-Infinity, Infinity], initial: 0 },
  },
  build: ({ q, k, v, gates }, { scale, grid: asked, window, similarity }) => {
    const sizes = sizesOf("matchWindow", { q, k, v });
    const { batch, heads, headDim, valueDim } = sizes;
    const length = lengthOf("matchWindow", sizes);
    const grid = gridOf("matchWindow", asked, length);
    reachOf(window, grid);
    const [rows, columns] = grid;
    const down = startOf(
      gates["row"],
      table(q, [length], (t) => Math.floor(t / columns)),
      rows,
      window,
    );
    const right = startOf(
      gates["column"],
      table(q, [length], (t) => t % columns),
      columns,
      window,
    );
    const side = window + 1;
    const steps = Array.from({ length: side * side }, (_, at) => Math.floor(at / side) * columns + (at % side));
    const corner = build.cast(build.add(build.mul(down.first, columns), right.first), "int64"); // [B,H,T]
    const keys = build.add(build.unsqueeze(corner, [3]), whole([steps.length], steps)); // [B,H,T,n]
    const n = steps.length;
    const chosen = (x: Value, dim: number): Value => {
      const at = build.reshape(keys, [batch, heads, length * n, 1]);
      const picked = build.gatherElements(perHead(x, heads), build.expand(at, [batch, heads, length * n, dim]), 2);
      return build.reshape(picked, [batch, heads, length, n, dim]);
    };
    const [near, asking] = [chosen(k, headDim), build.unsqueeze(q, [3])];
    const scores =
      similarity === "distance"
        ? build.neg(build.reduceSum(build.abs(build.sub(asking, near)), [4]))
        : build.mul(build.reduceSum(build.mul(asking, near), [4]), scaleOf(scale, headDim)); // [B,H,T,n]
    const square = build.reshape(scores, [batch, heads, length, side, side]);
    const parts = [0, 1].flatMap((a) =>
      [0, 1].map((b) => {
        const cut = build.slice(build.slice(square, 3, a, a + window), 4, b, b + window);
        const flat = build.softmax(build.reshape(cut, [batch, heads, length, window * window]), 3);
        const share = (rest: Value, isFar: number): Value => (isFar ? rest : build.sub(1, rest));
        const weight = build.unsqueeze(build.mul(share(down.rest, a), share(right.rest, b)), [3]);
        const weighted = build.reshape(build.mul(flat, weight), [batch, heads, length, window, window]);
        return build.pad(weighted, [[0, 0], [0, 0], [0, 0], [a, 1 - a], [b, 1 - b]]); // prettier-ignore
      }),
    );
    const weights = build.reshape(
      parts.reduce((sum, part) => build.add(sum, part)),
      [batch, heads, length, n],
    );
    const z = build.squeeze(build.matMul(build.unsqueeze(weights, [3]), chosen(v, valueDim)), [3]);
    return { z, pattern: spread(weights, keys, length) };
  },
  reference: ({ q, k, gates }, { scale, grid: asked, window, similarity }) => {
    const grid = gridOf("matchWindow", asked, k.length);
    const reach = reachOf(window, grid);
    const score = (a: readonly number[], b: readonly number[]): number =>
      similarity === "product"
        ? scaleOf(scale, a.length) * dot(a, b)
        : -a.reduce((sum, x, d) => sum + Math.abs(x - b[d]), 0);
    const pattern = q.map((query, i) => {
      const own = [Math.floor(i / grid[1]), i % grid[1]];
      const centre = ["row", "column"].map((name, axis) =>
        Math.min(Math.max(own[axis] + gates[name][i][0], reach), grid[axis] - 1 - reach),
      );
      const result = new Array<number>(k.length).fill(0);
      for (const r of [Math.floor(centre[0]), Math.floor(centre[0]) + 1]) {
        for (const c of [Math.floor(centre[1]), Math.floor(centre[1]) + 1]) {
          const weight = (1 - Math.abs(centre[0] - r)) * (1 - Math.abs(centre[1] - c));
          if (weight === 0) continue;
          const seen = k.flatMap((_, j) => {
            const isNear = Math.abs(Math.floor(j / grid[1]) - r) <= reach && Math.abs((j % grid[1]) - c) <= reach;
            return isNear ? [j] : [];
          });
          const weights = softmaxRow(seen.map((j) => score(query, k[j])));
          seen.forEach((j, at) => (result[j] += weight * weights[at]));
        }
      }
      return result;
    });
    return { pattern };
  },
  alsoAsked: [{ similarity: "product", window: 1, grid: [2, 8] }],
  limits: [
    {
      when: "every query says its own place and scores are products",
      options: { similarity: "product" },
      gates: { row: 0, column: 0 },
      equals: "neighbourhood",
      with: { window: 3 },
    },
  ],
  askedOn: { queries: 16 },
});
