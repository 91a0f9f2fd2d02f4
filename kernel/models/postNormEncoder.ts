import type { Value } from "../graph/index.js";
import { build } from "../graph/index.js";
import type { AttentionTerms } from "./attention.js";
import { attend } from "./attention.js";
import type { GraphContext, TensorSpec } from "./family.js";
import { activations, layerNorm, linear, splitHeads } from "./layers.js";
import { writtenHeads } from "./writtenHeads.js";

/** Names of the parts of one block, below its own prefix. */
export interface BlockNames {
  readonly query: string;
  readonly key: string;
  readonly value: string;
  readonly output: string;
  readonly attentionNorm: string;
  readonly mlpIn: string;
  readonly mlpOut: string;
  readonly mlpNorm: string;
}

export interface EncoderSizes {
  readonly layers: number;
  readonly heads: number;
  readonly width: number;
  readonly mlpWidth: number;
  readonly activation: string;
  readonly epsilon: number;
  readonly block: (layer: number) => string;
  readonly names: BlockNames;
}

/** The weights of a linear layer. */
export function linearSpecs(name: string, outputs: number, inputs: number): TensorSpec[] {
  return [
    { name: `${name}.weight`, shape: [outputs, inputs] },
    { name: `${name}.bias`, shape: [outputs] },
  ];
}

/** The weights of a layer norm. */
export function normSpecs(name: string, width: number): TensorSpec[] {
  return ["weight", "bias"].map((part) => ({ name: `${name}.${part}`, shape: [width] }));
}

/** The weights of all blocks. */
export function encoderSpecs({ layers, width, mlpWidth, block, names }: EncoderSizes): TensorSpec[] {
  return Array.from({ length: layers }, (_, layer) => `${block(layer)}.`).flatMap((prefix) => [
    ...[names.query, names.key, names.value, names.output].flatMap((name) => linearSpecs(prefix + name, width, width)),
    ...normSpecs(prefix + names.attentionNorm, width),
    ...linearSpecs(prefix + names.mlpIn, mlpWidth, width),
    ...linearSpecs(prefix + names.mlpOut, width, mlpWidth),
    ...normSpecs(prefix + names.mlpNorm, width),
  ]);
}

/** Where an encoder differs from BERT. */
export interface EncoderTraits {
  /** Scale and bias from the queries and keys of a layer. */
  readonly terms?: (layer: number, q: Value, k: Value) => AttentionTerms;
  /** Applied to what a block writes before the next reads it. */
  readonly written?: (layer: number, x: Value) => Value;
}

/**
 * Blocks that normalise after each residual sum, as in the original transformer and BERT.
 *
 *   mid = LN(x + W_O · z + b_O),  z = softmax(q·kᵀ/√D + bias) · v
 *   post = LN(mid + W_out · act(W_in · mid + b_in) + b_out)
 *
 * Shapes   x [B,Q,M] · bias [B,1,1,K] → [B,Q,M]
 * Source   arXiv:1706.03762 §3.1–3.3
 */
export function postNormEncoder(
  context: GraphContext,
  sizes: EncoderSizes,
  x: Value,
  bias: Value | undefined,
  { terms, written }: EncoderTraits = {},
): Value {
  const { layers, heads, width, activation, epsilon, names } = sizes;
  let stream = x;
  for (let layer = 0; layer < layers; layer++) {
    const prefix = `${sizes.block(layer)}.`;
    const tap = (part: string, value: Value): Value => context.tap(`blocks.${layer}.${part}`, value);
    const before = tap("resid_pre", stream);
    const [q, k, v] = (["query", "key", "value"] as const).map((part) =>
      tap(`attn.${part[0]}`, splitHeads(linear(context, prefix + names[part], before), heads)),
    ) as [Value, Value, Value];
    const z = attend(tap, q, k, v, terms?.(layer, q, k) ?? { scale: 1 / Math.sqrt(width / heads), bias });
    const output = (merged: Value): Value => linear(context, prefix + names.output, merged);
    const attention = tap("attn_out", writtenHeads(tap, z, output));
    const middle = tap(
      "resid_mid",
      layerNorm(context, prefix + names.attentionNorm, build.add(before, attention), epsilon),
    );
    const inner = tap("mlp.pre", linear(context, prefix + names.mlpIn, middle));
    const active = tap("mlp.post", activations[activation](inner));
    const mlp = tap("mlp_out", linear(context, prefix + names.mlpOut, active));
    const after = layerNorm(context, prefix + names.mlpNorm, build.add(middle, mlp), epsilon);
    stream = tap("resid_post", written ? written(layer, after) : after);
  }
  return stream;
}
