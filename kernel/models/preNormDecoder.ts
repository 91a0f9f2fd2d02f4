import type { Value } from "../graph/index.js";
import { build } from "../graph/index.js";
import { attend } from "./attention.js";
import type { GraphContext } from "./family.js";
import type { Rotary } from "./rotary.js";
import { rotate } from "./rotary.js";
import type { Visibility } from "./visibility.js";
import { causalBias } from "./visibility.js";
import { writtenHeads } from "./writtenHeads.js";

type Layer = (x: Value) => Value;

/** One block, put together by a family. */
export interface DecoderBlock {
  /** Of what attention reads; none when left out. */
  readonly attentionNorm?: Layer | undefined;
  /** Queries [B,H,T,D], keys and values [B,G,T,D], before any turning. */
  readonly project: (x: Value) => readonly [Value, Value, Value];
  /** Norms of queries and keys over each head, where a model has them. */
  readonly headNorms?: readonly [Layer, Layer] | undefined;
  readonly rotary?: Rotary | undefined;
  readonly scale: number;
  readonly softcap?: number | undefined;
  /** How many keys, itself included, a query sees; all when left out. */
  readonly window?: number | undefined;
  /** How hidden keys are lowered: as {@link causalBias} when left out. */
  readonly visibility?: Visibility;
  /** One more logit per head, [H], that takes attention and gives nothing. */
  readonly sink?: Value;
  /** Added to the scaled scores, [B,H,1,K]. */
  readonly keyBias?: Value | undefined;
  /** [B,T,H·D] → [B,T,M] */
  readonly output: Layer;
  /** What the heads write is multiplied with this: 1. */
  readonly attentionScale?: number;
  /** Applied to the attention's output before it is added. */
  readonly attentionPostNorm?: Layer | undefined;
  /** Of what the MLP reads; when left out, the MLP reads what attention reads in parallel, else the middle itself. */
  readonly mlpNorm?: Layer | undefined;
  readonly mlp: (x: Value, tap: GraphContext["tap"]) => Value;
  readonly mlpPostNorm?: Layer | undefined;
  /** Whether attention and MLP both read the block's input, and are added together. */
  readonly parallel?: boolean;
}

/**
 * Blocks that normalise what a sublayer reads, where they have such norms; queries see keys up to their own.
 *
 *   mid = x + W_O · z(LN₁(x)),  post = mid + MLP(LN₂(mid))
 *   in parallel: post = x + W_O · z(LN₁(x)) + MLP(LN₂(x))
 *
 * Shapes   x [B,T,M] → [B,T,M]
 * Source   arXiv:1706.03762 §3; the parallel form arXiv:2204.06745 §2.1
 */
export function preNormDecoder(
  { input, tap: tapModel, past }: Pick<GraphContext, "input" | "tap" | "past">,
  blocks: readonly DecoderBlock[],
  x: Value,
): Value {
  let stream = x;
  blocks.forEach((block, layer) => {
    const tap = (part: string, value: Value): Value => tapModel(`blocks.${layer}.${part}`, value);
    const { rotary, headNorms, scale, softcap, window, parallel } = block;
    const before = tap("resid_pre", stream);
    const read = block.attentionNorm ? tap("ln1.normalized", block.attentionNorm(before)) : before;
    const [q, k, v] = block.project(read);
    const turned = (part: "q" | "k", heads: Value): Value => {
      const named = tap(`attn.${part}`, heads);
      const normed = headNorms ? headNorms[part === "q" ? 0 : 1](named) : named;
      return rotary ? tap(`attn.rot_${part}`, rotate(rotary, normed, input("position_ids"))) : normed;
    };
    const queries = turned("q", q);
    const own = [turned("k", k), tap("attn.v", v)] as const;
    const [keys, values] = past ? past.join(layer, ...own) : own;
    const index = input("token_index");
    const places = { mask: input("attention_mask"), queries: index, keys: past ? input("key_index") : index };
    const hidden = (block.visibility ?? causalBias)(places, window);
    const bias = block.keyBias ? build.add(hidden, block.keyBias) : hidden;
    const z = attend(tap, queries, keys, values, { scale, softcap, bias, sink: block.sink });
    const written = writtenHeads(tap, z, block.output, block.attentionScale);
    const attention = tap("attn_out", block.attentionPostNorm ? block.attentionPostNorm(written) : written);
    const sum = build.add(before, attention);
    const middle = parallel ? before : tap("resid_mid", sum);
    const shared = parallel ? read : middle;
    const computed = block.mlp(block.mlpNorm ? tap("ln2.normalized", block.mlpNorm(middle)) : shared, tap);
    const mlp = tap("mlp_out", block.mlpPostNorm ? block.mlpPostNorm(computed) : computed);
    stream = tap("resid_post", build.add(parallel ? sum : middle, mlp));
  });
  return stream;
}
