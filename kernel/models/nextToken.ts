import type { Build, Value } from "../graph/index.js";
import { build, constant, input } from "../graph/index.js";
import { Tensor } from "../tensor/index.js";

/**
 * Mean of −ln p(next token) over the positions whose token and next token are real, as a graph value.
 *
 * Shapes   logits [B,Q,V]; reads the feed `next_ids` [B,Q] → []
 * Units    nats
 */
export function nextTokenLoss(logits: Value, g: Build = build): Value {
  const vocabulary = logits.shape[2] as number;
  const ids = constant(
    new Tensor(
      "int32",
      [vocabulary],
      Int32Array.from({ length: vocabulary }, (_, id) => id),
    ),
  );
  const next = input("next_ids", "int32", [logits.shape[0], logits.shape[1]]);
  const hit = g.cast(g.equal(g.unsqueeze(next, [2]), ids), "float32"); // [B,Q,V]
  const shifted = g.sub(logits, g.reduceMax(logits, [2], true));
  const logTotal = g.log(g.reduceSum(g.exp(shifted), [2], true));
  const surprise = g.mul(g.sub(logTotal, shifted), hit);
  return g.div(g.reduceSum(surprise), g.reduceSum(hit));
}

/**
 * Natural logarithms of the softmax over the last axis, summed in float64.
 *
 * Shapes   logits […,V] → […,V]
 * Units    nats
 */
export function logSoftmax({ shape, data }: Tensor): Tensor<"float32"> {
  const vocabulary = shape.at(-1)!;
  const out = new Float32Array(data.length);
  for (let start = 0; start < out.length; start += vocabulary) {
    let max = -Infinity;
    for (let i = start; i < start + vocabulary; i++) max = Math.max(max, data[i] as number);
    let sum = 0;
    for (let i = start; i < start + vocabulary; i++) sum += Math.exp((data[i] as number) - max);
    const logTotal = max + Math.log(sum);
    for (let i = start; i < start + vocabulary; i++) out[i] = (data[i] as number) - logTotal;
  }
  return new Tensor("float32", shape, out);
}

/**
 * −ln p(token to predict) at each position; NaN where there is none.
 *
 * Shapes   logits [B,Q,V] · next [B,Q], −1 for none → [B,counted], the first `counted` positions
 * Units    nats
 */
export function lossPerToken(logits: Tensor, next: Int32Array, counted: number): Tensor<"float32"> {
  const [size, length, vocabulary] = logits.shape;
  const out = new Float32Array(size * counted).fill(NaN);
  for (let b = 0; b < size; b++) {
    for (let t = 0; t < counted; t++) {
      const id = next[b * length + t];
      if (id < 0) continue;
      const row = (b * length + t) * vocabulary;
      let max = -Infinity;
      for (let v = 0; v < vocabulary; v++) max = Math.max(max, logits.data[row + v] as number);
      let sum = 0;
      for (let v = 0; v < vocabulary; v++) sum += Math.exp((logits.data[row + v] as number) - max);
      out[b * counted + t] = max + Math.log(sum) - (logits.data[row + id] as number);
    }
  }
  return new Tensor("float32", [size, counted], out);
}
