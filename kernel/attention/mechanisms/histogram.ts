import type { Value } from "../../graph/index.js";
import { build } from "../../graph/index.js";
import { OptionError, wholeNumber } from "../../tensor/index.js";
import { channel, channelsOf } from "../channels.js";
import { dividedBy, lengthOf } from "../lengths.js";
import type { Mechanism } from "../mechanism.js";
import { mechanism, sizesOf } from "../mechanism.js";
import { dot } from "../reference.js";
import { atUnitLength, perHead, softmaxWithSink } from "../steps.js";

interface HistogramOptions {
  /** How many bins the sorted tokens of a channel are cut into. */
  readonly bins: number;
  /** `"runs"`: a bin holds values that follow each other; `"strides"`: every so many-th value. */
  readonly split: "runs" | "strides";
}

function sizeOf({ bins, split }: HistogramOptions, tokens: number): number {
  wholeNumber("histogram", "bins", bins);
  if (split !== "runs" && split !== "strides")
    throw new OptionError(`histogram: split must be "runs" or "strides", got ${JSON.stringify(split)}`);
  return dividedBy("histogram", "bins", bins, tokens);
}

/**
 * Every channel sorted by its values and cut into bins; the bins of all channels attend to each other.
 *
 *   σ_c = tokens by v[·,c], rising        Q[(c,f),s] = q[σ_c(t),c] at t = f·S + s (runs) or s·F + f (strides); K, V alike
 *   z[σ_c(t),c] = Σ_(c',f') A[(c,f),(c',f')] · V[(c',f'),s]        A = exp(τ_h·cos(Q, K)) / (1 + Σ exp)
 *
 * The pattern is the mean over channels of the weight that each token has in z.
 *
 * Range    rows sum to less than 1: one more key of score and value 0 takes the rest
 * Source   dynamic-range histogram attention of Histoformer, arXiv:2407.10172 §3
 * Differs  one way of cutting; the paper multiplies the results of both. Convolutions and the sorting of half of the
 *          features along rows and columns stand outside
 */
export const histogram: Mechanism<HistogramOptions> = mechanism<HistogramOptions>({
  name: "histogram",
  summary: "every channel sorted by its values and cut into bins, which attend to each other",
  source: "arXiv:2407.10172 §3",
  differs: "one way of cutting at a time; convolutions and the sorting of rows and columns stand outside",
  rows: [161],
  defaults: { bins: 4, split: "runs" },
  promises: { sees: "all", rows: "at most one", mixesValues: false },
  cost: { time: "T·F·D² + T·log T·D", state: "not causal" },
  parameters: ({ heads }) => ({ temperature: { shape: [heads], initial: 1 } }),
  build: ({ q, k, v, parameters }, options) => {
    const { heads, headDim } = channelsOf("histogram", { q, k, v });
    const sizes = sizesOf("histogram", { q, k, v });
    const { batch } = sizes;
    const length = lengthOf("histogram", sizes);
    const [{ bins, split }, size] = [options, sizeOf(options, length)];
    const channels = (x: Value): Value => build.transpose(x, [0, 1, 3, 2]); // [B,H,D,T]
    const order = build.topK(channels(perHead(v, heads)), length, 3, { largest: false }).indices; // [B,H,D,T]
    const cut = split === "runs" ? [bins, size] : [size, bins];
    const turned = (x: Value): Value => (split === "runs" ? x : build.transpose(x, [0, 1, 2, 4, 3]));
    const binned = (x: Value): Value => {
      const parts = turned(build.reshape(x, [batch, heads, headDim, ...cut])); // [B,H,D,F,S]
      return build.reshape(parts, [batch, heads, headDim * bins, size]);
    };
    const sorted = (x: Value): Value => binned(build.gatherElements(channels(perHead(x, heads)), order, 3));
    const cosines = build.matMul(atUnitLength(sorted(q), -1), channels(atUnitLength(sorted(k), -1))); // [B,H,D·F,D·F]
    const scores = build.mul(cosines, build.unsqueeze(parameters["temperature"], [1, 2]));
    const weights = softmaxWithSink(scores, undefined, build.scalar(0, q.dtype));
    const read = turned(build.reshape(build.matMul(weights, sorted(v)), [batch, heads, headDim, bins, size]));
    const flat = build.reshape(read, [batch, heads, headDim, length]);
    const zeros = build.expand(build.scalar(0, q.dtype), [batch, heads, headDim, length]);
    const z = channels(build.scatterElements(zeros, order, flat, 3, "add"));
    // Which token stands at each place of each bin, [B,H,S,D·F,T].
    const places = build.transpose(build.oneHot(binned(order), length, q.dtype), [0, 1, 3, 2, 4]);
    const readers = build.transpose(places, [0, 1, 2, 4, 3]);
    const perPlace = build.matMul(readers, build.matMul(build.unsqueeze(weights, [2]), places)); // [B,H,S,T,T]
    return { z, pattern: build.div(build.reduceSum(perPlace, [2]), headDim) };
  },
  reference: ({ q, k, v, head, parameters }, options) => {
    const size = sizeOf(options, v.length);
    const { bins, split } = options;
    const orders = v[0].map((_, c) => v.map((__, t) => t).sort((a, b) => v[a][c] - v[b][c]));
    const rows = orders.flatMap((order, c) =>
      Array.from({ length: bins }, (_, f) => ({
        channel: c,
        tokens: Array.from({ length: size }, (__, s) => order[split === "runs" ? f * size + s : s * bins + f]),
      })),
    );
    const normal = (x: readonly number[]): number[] => x.map((y) => y / Math.sqrt(dot(x, x)));
    const part = (x: typeof q, row: (typeof rows)[number]): number[] =>
      row.tokens.map((token) => channel(x, row.channel)[token]);
    const z = v.map((row) => row.map(() => 0));
    const pattern = v.map(() => v.map(() => 0));
    for (const asking of rows) {
      const query = normal(part(q, asking));
      const powers = rows.map((row) => Math.exp(parameters["temperature"][head] * dot(query, normal(part(k, row)))));
      const total = 1 + powers.reduce((a, b) => a + b, 0);
      rows.forEach((row, r) =>
        row.tokens.forEach((token, s) => {
          z[asking.tokens[s]][asking.channel] += (powers[r] / total) * v[token][row.channel];
          pattern[asking.tokens[s]][token] += powers[r] / total / v[0].length;
        }),
      );
    }
    return { pattern, z };
  },
  alsoAsked: [{ bins: 2, split: "strides" }],
  askedOn: { queries: 12, headDim: 3, valueDim: 3 },
});
