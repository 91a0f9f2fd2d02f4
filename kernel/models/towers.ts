import type { Value } from "../graph/index.js";
import { build } from "../graph/index.js";
import { Tensor, UnsupportedError } from "../tensor/index.js";
import type { FieldsOf } from "./config.js";
import { amount, choice, count, only } from "./config.js";
import type { Batch, GraphContext, TensorSpec } from "./family.js";
import { activations } from "./layers.js";
import type { PatchGrid } from "./patchGrid.js";
import { sides } from "./patches.js";
import type { BlockNames, EncoderSizes } from "./postNormEncoder.js";

/** Attributes of one tower, of text or of pictures. */
export interface TowerConfig {
  readonly hidden_size: number;
  readonly intermediate_size: number;
  readonly num_hidden_layers: number;
  readonly num_attention_heads: number;
  readonly hidden_act: string;
  readonly layer_norm_eps: number;
  readonly pruned_heads: object;
}

/** The attributes of a tower with these defaults. */
export function towerFields(
  hiddenAct: string,
  epsilon: number,
  [width, mlpWidth, heads]: readonly [width: number, mlpWidth: number, heads: number],
): FieldsOf<TowerConfig> {
  return {
    hidden_size: count(width),
    intermediate_size: count(mlpWidth),
    num_hidden_layers: count(12),
    num_attention_heads: count(heads),
    hidden_act: choice(Object.keys(activations), hiddenAct),
    layer_norm_eps: amount(epsilon),
    pruned_heads: only({}),
  };
}

/** Attributes of a tower that reads pictures. */
export interface PictureTowerConfig extends TowerConfig {
  readonly image_size: readonly [number, number];
  readonly patch_size: readonly [number, number];
  readonly num_channels: number;
}

export function pictureFields(patchSize: number): FieldsOf<Omit<PictureTowerConfig, keyof TowerConfig>> {
  return { image_size: sides(224), patch_size: sides(patchSize), num_channels: count(3) };
}

/** What older files repeat in each part: training, other heads, and defaults of generation. */
export const towerIgnored: readonly string[] = [
  "_name_or_path", "add_cross_attention", "attention_dropout", "bad_words_ids", "begin_suppress_tokens", "bos_token_id",
  "cross_attention_hidden_size", "decoder_start_token_id", "diversity_penalty", "do_sample", "dropout",
  "early_stopping", "encoder_no_repeat_ngram_size", "eos_token_id", "exponential_decay_length_penalty",
  "forced_bos_token_id", "forced_eos_token_id", "initializer_factor", "is_decoder", "is_encoder_decoder",
  "length_penalty", "max_length", "min_length", "no_repeat_ngram_size", "num_beam_groups", "num_beams",
  "num_return_sequences", "output_scores", "pad_token_id", "prefix", "projection_dim", "remove_invalid_values",
  "repetition_penalty", "return_dict_in_generate", "sep_token_id", "suppress_tokens", "temperature", "tf_legacy_loss",
  "tie_encoder_decoder", "tie_word_embeddings", "top_k", "top_p", "typical_p", "use_bfloat16", "vocab_size",
]; // prettier-ignore

const names: BlockNames = {
  query: "self_attn.q_proj",
  key: "self_attn.k_proj",
  value: "self_attn.v_proj",
  output: "self_attn.out_proj",
  attentionNorm: "layer_norm1",
  mlpIn: "mlp.fc1",
  mlpOut: "mlp.fc2",
  mlpNorm: "layer_norm2",
};

/** Sizes and names of a tower's blocks; throws UnsupportedError unless the width divides into the heads. */
export function towerSizes(place: string, config: TowerConfig): EncoderSizes {
  const { hidden_size: width, num_attention_heads: heads } = config;
  if (width % heads !== 0) {
    throw new UnsupportedError(
      `${place}: hidden_size must be a multiple of num_attention_heads, got ${width} and ${heads}`,
    );
  }
  return {
    ...{ heads, width, names },
    layers: config.num_hidden_layers,
    mlpWidth: config.intermediate_size,
    activation: config.hidden_act,
    epsilon: config.layer_norm_eps,
    block: (layer) => `encoder.layers.${layer}`,
  };
}

/** What a tower reads of pictures of the trained size. */
export function towerGrid(config: PictureTowerConfig, hasClass: boolean): PatchGrid {
  const [height, width] = config.image_size;
  const [patchHeight, patchWidth] = config.patch_size;
  return { channels: config.num_channels, height, width, patchHeight, patchWidth, hasClass, interpolates: false };
}

/** The same context for a part of a model: prefixes of its weights and of its addresses. */
export function within(context: GraphContext, weights: string, addresses: string): GraphContext {
  return {
    ...context,
    weight: (name) => context.weight(weights + name),
    has: (name) => context.has(weights + name),
    tap: (address, value) => context.tap(addresses + address, value),
  };
}

export function prefixed(prefix: string, specs: readonly TensorSpec[]): readonly TensorSpec[] {
  return specs.map((spec) => ({ ...spec, name: prefix + spec.name }));
}

/** Embeddings of tokens and of learned positions, [B,T,M]. */
export function embedText({ weight, input, tap }: GraphContext): Value {
  const rows = (table: string, ids: string): Value =>
    build.gather(weight(`embeddings.${table}_embedding.weight`), input(ids), 0);
  return build.add(tap("embed", rows("token", "input_ids")), tap("pos_embed", rows("position", "position_ids")));
}

/** Where the vector of each text is read, as a feed. */
export function pooledFeed({ size }: Batch, place: (row: number) => number): Readonly<Record<string, Tensor>> {
  return {
    pooled_index: new Tensor(
      "int32",
      [size],
      Int32Array.from({ length: size }, (_, row) => place(row)),
    ),
  };
}

/** The hidden state at the place that {@link pooledFeed} names, [B,M]. */
export function pooledText({ input }: GraphContext, hidden: Value): Value {
  const hot = build.equal(input("token_index"), build.unsqueeze(input("pooled_index"), [1])); // [B,T]
  return build.reduceSum(build.mul(hidden, build.unsqueeze(build.cast(hot, "float32"), [2])), [1]);
}

/** x / ‖x‖ over the last axis. */
function normalised(x: Value): Value {
  return build.div(x, build.sqrt(build.reduceSum(build.mul(x, x), [1], true)));
}

/**
 * How well texts and pictures fit.
 *
 *   logits = eˢ · cos(text, picture) + b
 *
 * Shapes   texts [B,D] · pictures [P,D] → logits_per_text [B,P], logits_per_image [P,B]
 * Source   arXiv:2103.00020 §2.3 figure 3; with a bias arXiv:2303.15343 eq. 1
 */
export function fit(texts: Value, pictures: Value, logScale: Value, bias?: Value): Readonly<Record<string, Value>> {
  const [text_embeds, image_embeds] = [normalised(texts), normalised(pictures)];
  const cosines = build.matMul(text_embeds, build.transpose(image_embeds, [1, 0]));
  const scaled = build.mul(cosines, build.exp(logScale));
  const logits_per_text = bias ? build.add(scaled, bias) : scaled;
  return { logits_per_image: build.transpose(logits_per_text, [1, 0]), logits_per_text, text_embeds, image_embeds };
}
