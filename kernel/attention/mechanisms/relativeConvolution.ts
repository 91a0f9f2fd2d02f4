import type { Value } from "../../graph/index.js";
import { build } from "../../graph/index.js";
import { wholeNumber } from "../../tensor/index.js";
import { lengthOf, past, table } from "../lengths.js";
import type { Mechanism } from "../mechanism.js";
import { mechanism, sizesOf } from "../mechanism.js";
import { relative } from "../positions/index.js";
import type { Rows } from "../reference.js";
import { dot, normalisedRows, product, softmaxRow } from "../reference.js";
import type { Scale } from "../steps.js";
import { maskedSoftmax, mixed, products, scaleOf } from "../steps.js";

interface RelativeConvolutionOptions {
  readonly scale: Scale;
  /** Tokens that each convolution reads: the token itself and those before it. */
  readonly taps: number;
}

/** Each channel and its own past: x_t + Σ_j w[j] ⊙ x_{t−j}. Shapes   x [B,G,T,D] · w [G,taps,D] */
function convolved(x: Value, w: Value, taps: number): Value {
  const length = x.shape[2] as number;
  let sum = x;
  for (let j = 0; j < Math.min(taps, length); j++) {
    const moved = build.pad(build.slice(x, 2, 0, length - j), [[0, 0], [0, 0], [j, 0], [0, 0]]); // prettier-ignore
    sum = build.add(sum, build.mul(moved, build.slice(w, 1, j, j + 1)));
  }
  return sum;
}

/** Sines, then cosines, of a distance. */
function wave(distance: number, channel: number, headDim: number): number {
  const half = Math.ceil(headDim / 2);
  const angle = distance / 10_000 ** ((2 * (channel % half)) / headDim);
  return channel < half ? Math.sin(angle) : Math.cos(angle);
}

/**
 * Convolutions over the last tokens of each channel of queries, keys and values, and scores that know distances.
 *
 *   s[i,j] = scale · ((q_i + u)·k_j + (q_i + w)·W R_{i−j}),  q, k, v convolved, R the sinusoid of the distance
 *
 * Kernels are learned as what is added to the token itself. The pattern weighs convolved values.
 *
 * Range    rows sum to 1
 * Source   RCMHA, arXiv:2308.03429 §3; relative scores of Transformer-XL, arXiv:1901.02860 §3.3
 */
export const relativeConvolution: Mechanism<RelativeConvolutionOptions> = mechanism({
  name: "relativeConvolution",
  summary: "convolved queries, keys and values, scores by distance",
  source: "arXiv:2308.03429 §3; arXiv:1901.02860 §3.3",
  rows: [151],
  defaults: { scale: "1/√D", taps: 3 },
  promises: { sees: "causal", rows: "one", mixesValues: false },
  cost: { time: "T²·D", state: "2·T·D" },
  parameters: ({ heads, keyHeads, valueHeads, headDim, valueDim }, { taps }) => ({
    queryKernel: { shape: [heads, taps, headDim], initial: { std: 0.1 } },
    keyKernel: { shape: [keyHeads, taps, headDim], initial: { std: 0.1 } },
    valueKernel: { shape: [valueHeads, taps, valueDim], initial: { std: 0.1 } },
    distance: { shape: [heads, headDim, headDim], initial: { std: 1 / headDim } },
    contentBias: { shape: [heads, headDim], initial: 0 },
    distanceBias: { shape: [heads, headDim], initial: 0 },
  }),
  build: ({ q, k, v, parameters }, { scale, taps }) => {
    wholeNumber("relativeConvolution", "taps", taps);
    const sizes = sizesOf("relativeConvolution", { q, k, v });
    const length = lengthOf("relativeConvolution", sizes);
    const { headDim } = sizes;
    const queries = convolved(q, parameters["queryKernel"], taps);
    const values = convolved(v, parameters["valueKernel"], taps);
    const waves = table(q, [length, headDim], (r, c) => wave(length - 1 - r, c, headDim));
    const perHead = (name: string): Value => build.unsqueeze(parameters[name], [1]); // [H,1,D]
    const near = relative(
      build.add(queries, perHead("distanceBias")),
      build.matMul(waves, build.transpose(parameters["distance"], [0, 2, 1])),
    );
    const alike = products(build.add(queries, perHead("contentBias")), convolved(k, parameters["keyKernel"], taps));
    const scores = build.mul(build.add(alike, near), scaleOf(scale, headDim));
    const pattern = maskedSoftmax(scores, past(q, length));
    return { scores, pattern, z: mixed(pattern, values) };
  },
  reference: (head, { scale, taps }) => {
    const { parameters, heads, all } = head;
    const dim = head.q[0].length;
    const cut = (name: string, at: number, size: number): number[] =>
      parameters[name].slice(at * size, (at + 1) * size);
    const group = Math.floor((head.head * all.k.length) / heads);
    const convolve = (rows: Rows, name: string, at: number): number[][] => {
      const width = rows[0].length;
      const kernel = cut(name, at, taps * width);
      return rows.map((row, t) =>
        row.map((x, d) => {
          let sum = x;
          for (let j = 0; j < taps && j <= t; j++) sum += kernel[j * width + d] * rows[t - j][d];
          return sum;
        }),
      );
    };
    const [q, k] = [convolve(head.q, "queryKernel", head.head), convolve(head.k, "keyKernel", group)];
    const v = convolve(head.v, "valueKernel", Math.floor((head.head * all.v.length) / heads));
    const [content, distance] = ["contentBias", "distanceBias"].map((name) => cut(name, head.head, dim));
    const map = cut("distance", head.head, dim * dim);
    const embedded = (apart: number): number[] =>
      Array.from({ length: dim }, (_, r) =>
        Array.from({ length: dim }, (__, c) => map[r * dim + c] * wave(apart, c, dim)).reduce((a, b) => a + b, 0),
      );
    const plus = (a: readonly number[], b: readonly number[]): number[] => a.map((x, d) => x + b[d]);
    const score = (i: number, j: number): number =>
      scaleOf(scale, dim) * (dot(plus(q[i], content), k[j]) + dot(plus(q[i], distance), embedded(i - j)));
    const causal = { ...head, sees: (i: number, j: number): boolean => j <= i };
    const pattern = normalisedRows(causal, score, softmaxRow);
    return { pattern, z: product(pattern, v) };
  },
  limits: [
    {
      when: "nothing is convolved and distances do not count",
      parameters: { queryKernel: 0, keyKernel: 0, valueKernel: 0, distance: 0, contentBias: 0, distanceBias: 0 },
      equals: "softmax",
    },
  ],
});
