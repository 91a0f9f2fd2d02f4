import type { Value } from "../../graph/index.js";
import { build } from "../../graph/index.js";
import { ownTokens, ownTokenRows, channelsOf } from "../channels.js";
import { depthwise, depthwiseRows } from "../depthwise.js";
import type { Grid } from "../grid.js";
import { gridOf } from "../grid.js";
import { lengthOf } from "../lengths.js";
import type { Mechanism } from "../mechanism.js";
import { mechanism, sizesOf } from "../mechanism.js";
import { perHead } from "../steps.js";

interface LargeKernelOptions {
  readonly grid: Grid;
  /** Side of the first kernel. */
  readonly near: number;
  /** Side of the second kernel, and the distance between its places. */
  readonly far: number;
  readonly dilation: number;
}

/** Channels through both kernels, without their biases: [B,H,T,E] → [B,H,T,E]. */
function convolved(
  x: Value,
  near: Value,
  far: Value,
  { grid, dilation }: { readonly grid: readonly [number, number]; readonly dilation: number },
): Value {
  return depthwise(depthwise(x, near, grid), far, grid, dilation);
}

/**
 * A gate that a large kernel makes of the picture, in place of weights of keys; it depends on places, not on what keys hold.
 *
 *   z = q ⊙ (W·DW_far(DW_near(v))),  DW: each channel with a kernel of its own, the second with gaps
 *
 * The paper has q = v. The pattern is the mean over channels of the sizes of both kernels together: how far a token looks,
 * (near + (far − 1)·dilation)² tokens.
 *
 * Range    weights ≥ 0, of any sum
 * Source   large kernel attention of VAN, arXiv:2202.09741 eq. 1–2
 * Differs  W mixes the channels of a head, not of all heads; without biases
 */
export const largeKernel: Mechanism<LargeKernelOptions> = mechanism<LargeKernelOptions>({
  name: "largeKernel",
  summary: "a gate that a large kernel makes of the picture, whatever the keys hold",
  source: "arXiv:2202.09741 eq. 1–2",
  differs: "channels are mixed within a head; without biases",
  rows: [163],
  defaults: { grid: "square", near: 5, far: 7, dilation: 3 },
  promises: { sees: "all", rows: "free", mixesValues: false },
  cost: { time: "T·(k₁² + k₂² + D)·D", state: "not causal" },
  parameters: ({ heads, valueDim }, { near, far }) => ({
    near: { shape: [heads, valueDim, near, near], initial: { std: 1 / near } },
    far: { shape: [heads, valueDim, far, far], initial: { std: 1 / far } },
    mix: { shape: [heads, valueDim, valueDim], initial: { std: 1 / Math.sqrt(valueDim) } },
  }),
  build: ({ q, k, v, parameters }, { grid: asked, dilation }) => {
    const { heads, headDim } = channelsOf("largeKernel", { q, k, v });
    const sizes = sizesOf("largeKernel", { q, k, v });
    const length = lengthOf("largeKernel", sizes);
    const place = { grid: gridOf("largeKernel", asked, length), dilation };
    const { near, far, mix } = parameters;
    const gate = build.matMul(convolved(perHead(v, heads), near, far, place), mix);
    // Every token alone through the kernels: [T,H,T,D].
    const own = build.transpose(build.slice(build.slice(ownTokens(q), 0, 0, 1), 1, 0, 1), [2, 0, 3, 1]);
    const alone = convolved(build.expand(own, [length, heads, length, headDim]), near, far, place);
    const reach = build.transpose(build.reduceMean(build.abs(alone), [3]), [1, 2, 0]); // [H,T,T]
    return { z: build.mul(q, gate), pattern: build.expand(reach, [sizes.batch, heads, length, length]) };
  },
  reference: ({ q, v, head, parameters }, options) => {
    const grid = gridOf("largeKernel", options.grid, v.length);
    const { near, far, mix } = parameters;
    const width = v[0].length;
    const through = (x: typeof v): number[][] =>
      depthwiseRows(depthwiseRows(x, near, { head, width: options.near, grid }), far, {
        ...{ head, width: options.far, grid, dilation: options.dilation },
      });
    const gate = through(v).map((row) =>
      row.map((_, e) => row.reduce((sum, x, d) => sum + x * mix[(head * width + d) * width + e], 0)),
    );
    const alone = ownTokenRows(v).map((row) => through(row.map((x) => new Array<number>(width).fill(x))));
    return {
      z: q.map((row, t) => row.map((x, e) => x * gate[t][e])),
      pattern: q.map((_, i) => v.map((__, j) => alone[j][i].reduce((sum, x) => sum + Math.abs(x), 0) / width)),
    };
  },
  alsoAsked: [{ grid: [1, 9], near: 3, far: 3, dilation: 2 }],
  askedOn: { queries: 9, headDim: 2, valueDim: 2 },
});
