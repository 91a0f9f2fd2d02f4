import { formatShape, ShapeError, sizeOf } from "../../tensor/index.js";
import { fill } from "../loops.js";
import type { Dense, Operator } from "../op.js";
import { numberOf } from "../op.js";
import { unbroadcast } from "../unbroadcast.js";
import type { Attributes } from "../value.js";

/** Every element, with the largest m along the axis and Σ exp(x − m). */
function eachOf(
  { shape, data }: Dense,
  attributes: Attributes,
  result: (value: number, max: number, sum: number) => number,
): Dense {
  const axis = numberOf(attributes, "axis");
  const length = shape[axis];
  const step = sizeOf(shape.slice(axis + 1));
  const out = new Float64Array(data.length);
  fill(shape, (flat, index) => {
    if (index[axis] !== 0) return 0;
    let max = -Infinity;
    for (let i = 0; i < length; i++) max = Math.max(max, data[flat + i * step]);
    let sum = 0;
    for (let i = 0; i < length; i++) sum += Math.exp(data[flat + i * step] - max);
    for (let i = 0; i < length; i++) out[flat + i * step] = result(data[flat + i * step], max, sum);
    return 0;
  });
  return { shape, data: out };
}

export const normalize: Readonly<Record<string, Operator>> = {
  Softmax: {
    arity: [1, 1],
    attributes: { axis: "int" },
    infer: ([x]) => x,
    reference: ([x], attributes) => eachOf(x, attributes, (value, max, sum) => Math.exp(value - max) / sum),
    vjp: (build, d, node) => {
      const weighted = build.mul(d, node);
      const total = build.reduceSum(weighted, [numberOf(node.attributes, "axis")], true);
      return [build.sub(weighted, build.mul(node, total))];
    },
  },
  LogSoftmax: {
    arity: [1, 1],
    attributes: { axis: "int" },
    infer: ([x]) => x,
    reference: ([x], attributes) => eachOf(x, attributes, (value, max, sum) => value - max - Math.log(sum)),
    vjp: (build, d, node) => {
      const total = build.reduceSum(d, [numberOf(node.attributes, "axis")], true);
      return [build.sub(d, build.mul(build.exp(node), total))];
    },
  },
  LayerNormalization: {
    arity: [3, 3],
    attributes: { axis: "int", epsilon: "float" },
    infer: ([x, scale, bias]) => {
      const width = x.shape.at(-1);
      if (scale.shape.join() !== String(width) || bias.shape.join() !== String(width)) {
        throw new ShapeError(
          `LayerNormalization: scale and bias must have the last axis of ${formatShape(x.shape)}, got ${formatShape(scale.shape)} and ${formatShape(bias.shape)}`,
        );
      }
      return x;
    },
    reference: ([x, scale, bias], attributes) => {
      const width = x.shape.at(-1)!;
      const epsilon = numberOf(attributes, "epsilon");
      const out = new Float64Array(x.data.length);
      for (let start = 0; start < out.length; start += width) {
        let mean = 0;
        for (let i = 0; i < width; i++) mean += x.data[start + i] / width;
        let variance = 0;
        for (let i = 0; i < width; i++) variance += (x.data[start + i] - mean) ** 2 / width;
        const rate = 1 / Math.sqrt(variance + epsilon);
        for (let i = 0; i < width; i++) {
          out[start + i] = (x.data[start + i] - mean) * rate * scale.data[i] + bias.data[i];
        }
      }
      return { shape: x.shape, data: out };
    },
    vjp: (build, d, { inputs: [x, scale, bias], attributes }) => {
      const last = [x.shape.length - 1];
      const centred = build.sub(x, build.reduceMean(x, last, true));
      const variance = build.reduceMean(build.mul(centred, centred), last, true);
      const rate = build.reciprocal(build.sqrt(build.add(variance, numberOf(attributes, "epsilon"))));
      const normed = build.mul(centred, rate);
      const g = build.mul(d, scale);
      const along = build.mul(normed, build.reduceMean(build.mul(g, normed), last, true));
      const dx = build.mul(rate, build.sub(build.sub(g, build.reduceMean(g, last, true)), along));
      return [dx, unbroadcast(build, build.mul(d, normed), scale.shape), unbroadcast(build, d, bias.shape)];
    },
  },
};
