import type { Value } from "../graph/index.js";
import { build } from "../graph/index.js";
import type { GraphContext, TensorSpec } from "./family.js";
import { activations, layerNorm, linear } from "./layers.js";
import { linearSpecs, normSpecs } from "./postNormEncoder.js";

/** Names and rules of the head that predicts masked tokens. */
export interface MaskedHead {
  readonly dense: string;
  readonly norm: string;
  readonly bias: string;
  /** The unembedding: a weight of its own, or the tied embedding table. */
  readonly unembed: string;
  readonly tied: boolean;
  readonly activation: string;
  readonly epsilon: number;
}

export function maskedHeadSpecs(head: MaskedHead, width: number, vocabulary: number): readonly TensorSpec[] {
  return [
    ...linearSpecs(head.dense, width, width),
    ...normSpecs(head.norm, width),
    { name: head.bias, shape: [vocabulary] },
    ...(head.tied ? [] : [{ name: head.unembed, shape: [vocabulary, width] }]),
  ];
}

/**
 * Logits of every position.
 *
 *   logits = LN(act(W · hidden + b)) · Uᵀ + c
 *
 * Shapes   hidden [B,Q,M] → [B,Q,V]
 */
export function maskedLogits(context: GraphContext, head: MaskedHead, hidden: Value): Value {
  const inner = activations[head.activation](linear(context, head.dense, hidden));
  const final = context.tap("ln_final", layerNorm(context, head.norm, inner, head.epsilon));
  const logits = build.matMul(final, build.transpose(context.weight(head.unembed), [1, 0]));
  return build.add(logits, context.weight(head.bias));
}
