import { build } from "../../graph/index.js";
import { ownTokens } from "../channels.js";
import type { Grid } from "../grid.js";
import { fromPicture, gridOf, toPicture } from "../grid.js";
import { lengthOf } from "../lengths.js";
import type { Mechanism } from "../mechanism.js";
import { mechanism, sizesOf } from "../mechanism.js";
import { softmaxRow } from "../reference.js";
import { perHead } from "../steps.js";

interface SubspaceGateOptions {
  readonly grid: Grid;
}

/**
 * One map of the picture for each subspace of its channels; what it holds is added once more as the map says.
 *
 *   a = softmax over tokens of w·maxpool₃ₓ₃(d ⊙ v)        z_i = (1 + a_i)·v_i,   d, w [D]
 *
 * Subspaces are heads. Queries and keys have no say.
 *
 * Range    the pattern is diagonal, 1 + a with Σ a = 1
 * Source   ULSAM, arXiv:2006.15102 §3, eq. 2–4
 */
export const subspaceGate: Mechanism<SubspaceGateOptions> = mechanism<SubspaceGateOptions>({
  name: "subspaceGate",
  summary: "one map of the picture for each subspace of channels, which says what is added once more",
  source: "arXiv:2006.15102 §3",
  rows: [170],
  defaults: { grid: "square" },
  promises: { sees: "all", rows: "free", mixesValues: true },
  cost: { time: "T·D", state: "not causal" },
  parameters: ({ heads, valueDim }) => ({
    depth: { shape: [heads, valueDim], initial: 1 },
    point: { shape: [heads, valueDim], initial: { std: 1 / Math.sqrt(valueDim) } },
  }),
  build: ({ q, k, v, parameters }, { grid: asked }) => {
    const sizes = sizesOf("subspaceGate", { q, k, v });
    const { heads } = sizes;
    const grid = gridOf("subspaceGate", asked, lengthOf("subspaceGate", sizes));
    const values = perHead(v, heads);
    const scaled = build.mul(values, build.unsqueeze(parameters["depth"], [1]));
    const border: [number, number] = [1, 1];
    const pooled = build.maxPool(toPicture(scaled, grid), [3, 3], { strides: [1, 1], pads: [border, border] });
    const logits = build.matMul(fromPicture(pooled, heads), build.unsqueeze(parameters["point"], [2])); // [B,H,T,1]
    const once = build.add(build.softmax(logits, 2), 1);
    return { z: build.mul(values, once), pattern: build.mul(ownTokens(q), once) };
  },
  reference: ({ v, head, parameters }, { grid: asked }) => {
    const [, columns] = gridOf("subspaceGate", asked, v.length);
    const width = v[0].length;
    const of = (name: string, e: number): number => parameters[name][head * width + e];
    const isNear = (a: number, b: number): boolean =>
      Math.abs(Math.floor(a / columns) - Math.floor(b / columns)) <= 1 && Math.abs((a % columns) - (b % columns)) <= 1;
    const logits = v.map((_, t) =>
      v[0].reduce((sum, __, e) => {
        const around = v.flatMap((row, j) => (isNear(t, j) ? [of("depth", e) * row[e]] : []));
        return sum + of("point", e) * Math.max(...around);
      }, 0),
    );
    const map = softmaxRow(logits);
    return { pattern: v.map((_, i) => v.map((__, j) => (i === j ? 1 + map[i] : 0))) };
  },
  alsoAsked: [{ grid: [2, 8] }],
  askedOn: { queries: 16 },
});
