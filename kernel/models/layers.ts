import { silu } from "../attention/steps.js";
import type { Value } from "../graph/index.js";
import { build } from "../graph/index.js";
import type { GraphContext } from "./family.js";

/** `x · Wᵀ + b` with the weight stored [out, in] under `name.weight`, the bias under `name.bias`. */
export function linear({ weight, has }: GraphContext, name: string, x: Value): Value {
  const product = build.matMul(x, build.transpose(weight(`${name}.weight`), [1, 0]));
  return has(`${name}.bias`) ? build.add(product, weight(`${name}.bias`)) : product;
}

/** Layer norm with what is stored under `name.weight` and, where a model has it, `name.bias`. */
export function layerNorm({ weight, has }: GraphContext, name: string, x: Value, epsilon: number): Value {
  const scale = weight(`${name}.weight`);
  const bias = has(`${name}.bias`) ? weight(`${name}.bias`) : build.expand(build.scalar(0), scale.shape);
  return build.layerNormalization(x, scale, bias, epsilon);
}

/** Scale of a root-mean-square norm: the stored weight, or 1 more than it. */
export type RmsWeight = "plain" | "plus one";

/**
 * x / √(mean x² + ε) · w over the last axis.
 *
 * Source   arXiv:1910.07467 eq. 4
 */
export function rmsNorm({ weight }: GraphContext, name: string, x: Value, epsilon: number, kind: RmsWeight): Value {
  const power = build.reduceMean(build.mul(x, x), [x.shape.length - 1], true);
  const stored = weight(`${name}.weight`);
  const scale = kind === "plain" ? stored : build.add(stored, 1);
  return build.mul(build.div(x, build.sqrt(build.add(power, epsilon))), scale);
}

/** Shapes   x [B,T,H·D] → [B,H,T,D] */
export function splitHeads(x: Value, heads: number): Value {
  const [batch, length, width] = x.shape;
  const apart = build.reshape(x, [batch, length, heads, (width as number) / heads]);
  return build.transpose(apart, [0, 2, 1, 3]);
}

/**
 * Queries, keys and values of one weight whose rows lie group by group: the queries of a group, its key, its value.
 *
 * Shapes   x [B,T,(H + 2·G)·D] → [B,H,T,D], [B,G,T,D], [B,G,T,D]
 */
export function splitGroups(x: Value, heads: number, groups: number): readonly [Value, Value, Value] {
  const [batch, length, width] = x.shape;
  const perGroup = heads / groups;
  const headDim = (width as number) / (heads + 2 * groups);
  const apart = build.reshape(x, [batch, length, groups, (perGroup + 2) * headDim]);
  const part = (from: number, to: number): Value => {
    const all = build.reshape(build.slice(apart, 3, from * headDim, to * headDim), [
      batch,
      length,
      (to - from) * groups * headDim,
    ]);
    return splitHeads(all, (to - from) * groups);
  };
  return [part(0, perGroup), part(perGroup, perGroup + 1), part(perGroup + 1, perGroup + 2)];
}

/** Shapes   x [B,H,T,D] → [B,T,H·D] */
export function mergeHeads(x: Value): Value {
  const [batch, heads, length, headDim] = x.shape;
  return build.reshape(build.transpose(x, [0, 2, 1, 3]), [batch, length, (heads as number) * (headDim as number)]);
}

const geluTanh = (x: Value): Value => build.gelu(x, "tanh");

/** x·σ(1.702·x), another approximation of gelu: arXiv:1606.08415 §2. */
function quickGelu(x: Value): Value {
  return build.mul(x, build.sigmoid(build.mul(x, 1.702)));
}

/** Activations by the names that configs use. */
export const activations: Readonly<Record<string, (x: Value) => Value>> = {
  linear: (x) => x,
  gelu: (x) => build.gelu(x),
  gelu_new: geluTanh,
  gelu_pytorch_tanh: geluTanh,
  quick_gelu: quickGelu,
  relu: build.relu,
  silu,
  swish: silu,
  tanh: build.tanh,
};
