import type { Value } from "../graph/index.js";
import { build, constant } from "../graph/index.js";
import { Tensor } from "../tensor/index.js";
import type { GraphContext, TensorSpec } from "./family.js";
import type { RmsWeight } from "./layers.js";
import { layerNorm, rmsNorm } from "./layers.js";
import { normSpecs } from "./postNormEncoder.js";

/** A kind of norm: its weights below a name, and what it computes over the last axis. */
export interface NormKind {
  readonly specs: (name: string, width: number) => readonly TensorSpec[];
  readonly apply: (context: GraphContext, name: string, x: Value) => Value;
}

/** Root-mean-square norm with one weight. */
export function rms(epsilon: number, kind: RmsWeight = "plain"): NormKind {
  return {
    specs: (name, width) => [{ name: `${name}.weight`, shape: [width] }],
    apply: (context, name, x) => rmsNorm(context, name, x, epsilon, kind),
  };
}

/** Layer norm with weight and bias. */
export function layer(epsilon: number): NormKind {
  return { specs: normSpecs, apply: (context, name, x) => layerNorm(context, name, x, epsilon) };
}

/** Layer norm without weights. */
export function bare(epsilon: number): NormKind {
  return { specs: () => [], apply: (_, __, x) => standardized(x, epsilon) };
}

/** (x − mean) / √(variance + ε) over the last axis. */
export function standardized(x: Value, epsilon: number): Value {
  const width = x.shape.at(-1) as number;
  const all = (value: number): Value => constant(new Tensor("float32", [width], new Float32Array(width).fill(value)));
  return build.layerNormalization(x, all(1), all(0), epsilon);
}
