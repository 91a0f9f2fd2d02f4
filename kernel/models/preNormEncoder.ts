import type { Value } from "../graph/index.js";
import { build } from "../graph/index.js";
import { attend } from "./attention.js";
import type { GraphContext } from "./family.js";
import { layerNorm, linear, splitHeads } from "./layers.js";
import { mlp } from "./mlp.js";
import type { EncoderSizes } from "./postNormEncoder.js";
import { writtenHeads } from "./writtenHeads.js";

/** Where an encoder differs from the plain one. */
export interface PreNormTraits {
  /** Added to the scores, as in `attend`; every query sees every key without it. */
  readonly bias?: Value;
  /** Weights that what a block's attention and MLP write are multiplied with. */
  readonly scales?: (layer: number) => readonly [attention: Value, mlp: Value];
  /** In place of the MLP with one activation. */
  readonly mlp?: (layer: number, x: Value, tap: GraphContext["tap"]) => Value;
}

/**
 * Encoder blocks that normalise what a sublayer reads.
 *
 *   mid = x + λ₁ ⊙ (W_O · z(LN₁(x)) + b_O),  post = mid + λ₂ ⊙ MLP(LN₂(mid))
 *
 * Shapes   x [B,T,M] · bias [B,1,Q,K] → [B,T,M], not normed
 * Source   arXiv:2010.11929 eq. 2–3; λ arXiv:2103.17239 §2
 */
export function preNormEncoder(
  context: GraphContext,
  sizes: EncoderSizes,
  x: Value,
  { bias, scales, mlp: ownMlp }: PreNormTraits = {},
): Value {
  const { layers, heads, width, activation, epsilon, names } = sizes;
  let stream = x;
  for (let layer = 0; layer < layers; layer++) {
    const prefix = `${sizes.block(layer)}.`;
    const tap = (part: string, value: Value): Value => context.tap(`blocks.${layer}.${part}`, value);
    const layerOf =
      (name: string) =>
      (y: Value): Value =>
        linear(context, prefix + name, y);
    const norm = (name: string, y: Value): Value => layerNorm(context, prefix + name, y, epsilon);
    const [attentionScale, mlpScale] = scales?.(layer) ?? [];
    const scaled = (y: Value, scale: Value | undefined): Value => (scale ? build.mul(y, scale) : y);

    const before = tap("resid_pre", stream);
    const read = tap("ln1.normalized", norm(names.attentionNorm, before));
    const [q, k, v] = (["query", "key", "value"] as const).map((part) =>
      tap(`attn.${part[0]}`, splitHeads(layerOf(names[part])(read), heads)),
    ) as [Value, Value, Value];
    const z = attend(tap, q, k, v, { scale: 1 / Math.sqrt(width / heads), bias });
    const attention = tap("attn_out", writtenHeads(tap, z, layerOf(names.output), attentionScale));
    const middle = tap("resid_mid", build.add(before, attention));
    const normed = tap("ln2.normalized", norm(names.mlpNorm, middle));
    const computed = ownMlp
      ? ownMlp(layer, normed, tap)
      : mlp(tap, activation, layerOf(names.mlpIn), layerOf(names.mlpOut), normed);
    stream = tap("resid_post", build.add(middle, tap("mlp_out", scaled(computed, mlpScale))));
  }
  return stream;
}
