import type { Value } from "../../graph/index.js";
import { build } from "../../graph/index.js";
import { wholeNumber } from "../../tensor/index.js";
import { lengthsOf } from "../lengths.js";
import type { Mechanism } from "../mechanism.js";
import { mechanism, sizesOf } from "../mechanism.js";
import { channel } from "../channels.js";
import { softmaxRow } from "../reference.js";
import { perHead } from "../steps.js";

interface StatisticsPoolingOptions {
  /** Hidden units of the scores. */
  readonly hidden: number;
  /** Whether the scores know mean and deviation of the whole. */
  readonly context: boolean;
  /** Least variance. */
  readonly epsilon: number;
}

/** Mean and deviation over tokens of every channel, under weights [B,H,K,E] that sum to 1: each [B,H,1,E]. */
function statistics(v: Value, weights: Value, epsilon: number): [Value, Value] {
  const mean = build.reduceSum(build.mul(weights, v), [2], true);
  const square = build.reduceSum(build.mul(weights, build.mul(v, v)), [2], true);
  return [mean, build.sqrt(build.maximum(build.sub(square, build.mul(mean, mean)), epsilon))];
}

/**
 * Frames pooled into weighted mean and deviation, with weights of its own for every channel; queries have no say.
 *
 *   a[t,c] = softmax over t of U_c·tanh(W·[v_t; μ; σ] + b) + u_c        z = [Σ_t a[t,c]·v[t,c] ; √(Σ_t a[t,c]·v[t,c]² − mean²)]
 *
 * The pattern is the mean of a over channels.
 *
 * Shapes   z [B,H,Q,2·E], the same for every query
 * Range    rows sum to 1
 * Source   ECAPA-TDNN, arXiv:2005.07143 eq. 1–4; ReLU and batch norm of the authors' code left out
 */
export const statisticsPooling: Mechanism<StatisticsPoolingOptions> = mechanism<StatisticsPoolingOptions>({
  name: "statisticsPooling",
  summary: "weighted mean and deviation over frames, with weights of its own for every channel",
  source: "arXiv:2005.07143 eq. 1–4",
  rows: [42],
  defaults: { hidden: 8, context: true, epsilon: 1e-7 },
  promises: { sees: "all", rows: "one", mixesValues: false },
  cost: { time: "T·D·A", state: "not causal" },
  parameters: ({ heads, valueDim }, { hidden, context }) => {
    wholeNumber("statisticsPooling", "hidden", hidden);
    const width = context ? 3 * valueDim : valueDim;
    return {
      down: { shape: [heads, width, hidden], initial: { std: 1 / Math.sqrt(width) } },
      downBias: { shape: [heads, hidden], initial: 0 },
      up: { shape: [heads, hidden, valueDim], initial: { std: 1 / Math.sqrt(hidden) } },
      upBias: { shape: [heads, valueDim], initial: 0 },
    };
  },
  build: ({ q, k, v, parameters }, { context, epsilon }) => {
    const sizes = sizesOf("statisticsPooling", { q, k, v });
    const [queries, keys] = lengthsOf("statisticsPooling", sizes);
    const { batch, heads, valueDim } = sizes;
    const values = perHead(v, heads);
    const even = build.expand(build.scalar(1 / keys, v.dtype), [1, 1, keys, valueDim]);
    const whole = statistics(values, even, epsilon).map((x) => build.expand(x, [batch, heads, keys, valueDim]));
    const read = context ? build.concat([values, ...whole], 3) : values;
    const row = (name: string): Value => build.unsqueeze(parameters[name], [1]);
    const hidden = build.tanh(build.add(build.matMul(read, parameters["down"]), row("downBias")));
    const weights = build.softmax(build.add(build.matMul(hidden, parameters["up"]), row("upBias")), 2); // [B,H,K,E]
    const pooled = build.concat(statistics(values, weights, epsilon), 3); // [B,H,1,2E]
    const shared = build.transpose(build.reduceMean(weights, [3], true), [0, 1, 3, 2]); // [B,H,1,K]
    return {
      z: build.expand(pooled, [batch, heads, queries, 2 * valueDim]),
      pattern: build.expand(shared, [batch, heads, queries, keys]),
    };
  },
  reference: ({ q, v, head, parameters }, { hidden, context, epsilon }) => {
    const width = v[0].length;
    const pooled = (x: readonly number[], weights: readonly number[]): [number, number] => {
      const mean = x.reduce((sum, value, t) => sum + weights[t] * value, 0);
      const spreadOut = x.reduce((sum, value, t) => sum + weights[t] * (value - mean) ** 2, 0);
      return [mean, Math.sqrt(Math.max(spreadOut, epsilon))];
    };
    const even = v.map(() => 1 / v.length);
    const whole = v[0].map((_, c) => pooled(channel(v, c), even));
    const read = v.map((row) => (context ? [...row, ...whole.map(([m]) => m), ...whole.map(([, s]) => s)] : row));
    const units = read.map((row) =>
      Array.from({ length: hidden }, (_, a) => {
        const sum = row.reduce((s, x, d) => s + x * parameters["down"][(head * row.length + d) * hidden + a], 0);
        return Math.tanh(sum + parameters["downBias"][head * hidden + a]);
      }),
    );
    const weights = v[0].map((_, c) =>
      softmaxRow(
        units.map(
          (unit) =>
            unit.reduce((sum, x, a) => sum + x * parameters["up"][(head * hidden + a) * width + c], 0) +
            parameters["upBias"][head * width + c],
        ),
      ),
    );
    const results = weights.map((weight, c) => pooled(channel(v, c), weight));
    const z = [...results.map(([mean]) => mean), ...results.map(([, deviation]) => deviation)];
    const row = v.map((_, t) => weights.reduce((sum, weight) => sum + weight[t], 0) / width);
    return { pattern: q.map(() => row), z: q.map(() => z) };
  },
  alsoAsked: [{ context: false }],
  askedOn: { queries: 2, keys: 7 },
});
