import type { Value } from "../graph/index.js";
import { build, constant } from "../graph/index.js";
import { Tensor, UnsupportedError } from "../tensor/index.js";
import type { FieldsOf } from "./config.js";
import { choice, count, flag, maybe, only, tokenId, tokenIds } from "./config.js";
import type { GraphContext, TensorSpec } from "./family.js";
import { activations, layerNorm, linear, splitHeads } from "./layers.js";
import { mlp } from "./mlp.js";
import type { PairAttention, PairBlock } from "./pairBlocks.js";
import type { PairBiases, PairModel, PairSide } from "./pairModel.js";
import { linearSpecs, normSpecs } from "./postNormEncoder.js";

/** Attributes that all configs of BART and of what grew from it share. */
export interface BartConfig {
  readonly vocab_size: number;
  readonly d_model: number;
  readonly encoder_layers: number;
  readonly decoder_layers: number;
  readonly encoder_attention_heads: number;
  readonly decoder_attention_heads: number;
  readonly encoder_ffn_dim: number;
  readonly decoder_ffn_dim: number;
  readonly max_position_embeddings: number;
  readonly activation_function: string;
  readonly scale_embedding: boolean;
  readonly tie_word_embeddings: boolean;
  readonly pad_token_id: number | null;
  readonly eos_token_id: readonly number[];
  readonly decoder_start_token_id: number | null;
  readonly num_hidden_layers: number | null;
  readonly is_encoder_decoder: true;
  readonly is_decoder: false;
  readonly add_cross_attention: false;
  readonly add_bias_logits: false;
  readonly pruned_heads: object;
}

/** With the defaults of transformers' BartConfig. */
export const bartFields: FieldsOf<BartConfig> = {
  vocab_size: count(50265),
  d_model: count(1024),
  encoder_layers: count(12),
  decoder_layers: count(12),
  encoder_attention_heads: count(16),
  decoder_attention_heads: count(16),
  encoder_ffn_dim: count(4096),
  decoder_ffn_dim: count(4096),
  max_position_embeddings: count(1024),
  activation_function: choice(Object.keys(activations), "gelu"),
  scale_embedding: flag(false),
  tie_word_embeddings: flag(true),
  pad_token_id: tokenId(1),
  eos_token_id: { ...tokenIds, fallback: [2] },
  decoder_start_token_id: tokenId(2),
  num_hidden_layers: maybe(count()),
  is_encoder_decoder: only(true),
  is_decoder: only(false),
  add_cross_attention: only(false),
  add_bias_logits: only(false),
  pruned_heads: only({}),
};

/** Attributes that only training, other heads and the search of generation read. */
export const bartIgnored: readonly string[] = [
  "activation_dropout", "attention_dropout", "bad_words_ids", "bos_token_id", "classif_dropout", "classifier_dropout",
  "decoder_layerdrop", "do_blenderbot_90_layernorm", "dropout", "early_stopping", "encoder_layerdrop",
  "extra_pos_embeddings", "force_bos_token_to_be_generated", "forced_bos_token_id", "forced_eos_token_id", "init_std",
  "length_penalty", "max_length", "min_length", "no_repeat_ngram_size", "num_beams", "prefix",
]; // prettier-ignore

/** Where a model differs from BART. */
export interface BartTraits {
  /** Whether the architecture predicts tokens. */
  readonly withHead: boolean;
  /** Whether a norm comes before its sublayer, and one more after the last block. */
  readonly normFirst: boolean;
  /** Whether embeddings are normalised. */
  readonly embeddingNorm: boolean;
  /** Learned positions from this row of their table on; undefined for sinusoids. */
  readonly positionOffset: number | undefined;
  /** Whether a text begins with its own last token, the name of its language. */
  readonly startsWithLast?: boolean;
}

/** The config has no attribute for it: PyTorch's default holds. */
const epsilon = 1e-5;

const sides = ["encoder", "decoder"] as const;
type Side = (typeof sides)[number];

/** Sizes of one side, checked. */
export function bartSide(family: string, width: number, layers: number, heads: number, positions: number): PairSide {
  if (width % heads !== 0) {
    throw new UnsupportedError(
      `${family}: d_model must be a multiple of the attention heads, got ${width} and ${heads}`,
    );
  }
  return { layers, heads, headDim: width / heads, positions };
}

/** The weights of all blocks of one side; keys have a bias but in Whisper. */
export function bartBlockSpecs(
  side: Side,
  { layers }: PairSide,
  width: number,
  mlpWidth: number,
  keyBias = true,
): TensorSpec[] {
  const attention = (prefix: string): TensorSpec[] =>
    ["q", "k", "v", "out"].flatMap((part) =>
      linearSpecs(`${prefix}.${part}_proj`, width, width).slice(0, part === "k" && !keyBias ? 1 : 2),
    );
  return Array.from({ length: layers }, (_, layer) => `${side}.layers.${layer}.`).flatMap((prefix) =>
    [
      attention(`${prefix}self_attn`),
      normSpecs(`${prefix}self_attn_layer_norm`, width),
      ...(side === "decoder"
        ? [attention(`${prefix}encoder_attn`), normSpecs(`${prefix}encoder_attn_layer_norm`, width)]
        : []),
      linearSpecs(`${prefix}fc1`, mlpWidth, width),
      linearSpecs(`${prefix}fc2`, width, mlpWidth),
      normSpecs(`${prefix}final_layer_norm`, width),
    ].flat(),
  );
}

/** A block in BART's names. */
export function bartBlock(
  context: GraphContext,
  side: Side,
  layer: number,
  { heads, headDim }: PairSide,
  activation: string,
  normFirst: boolean,
  biases: PairBiases,
): PairBlock {
  const prefix = `${side}.layers.${layer}.`;
  const part =
    (name: string) =>
    (x: Value): Value =>
      linear(context, prefix + name, x);
  const norm =
    (name: string) =>
    (x: Value): Value =>
      layerNorm(context, prefix + name, x, epsilon);
  const attention = (name: string, bias: Value): PairAttention => {
    const [query, key, value] = ["q", "k", "v"].map(
      (of) => (x: Value) => splitHeads(part(`${name}.${of}_proj`)(x), heads),
    );
    const scale = 1 / Math.sqrt(headDim);
    return { norm: norm(`${name}_layer_norm`), query, key, value, output: part(`${name}.out_proj`), scale, bias };
  };
  return {
    normFirst,
    self: attention("self_attn", biases.self),
    ...(side === "decoder" ? { cross: attention("encoder_attn", biases.cross) } : {}),
    mlpNorm: norm("final_layer_norm"),
    mlp: (x, tap) => mlp(tap, activation, part("fc1"), part("fc2"), x),
  };
}

/**
 * Positions as sines in the first half and cosines in the second.
 *
 *   P[t,i] = sin(t / 10000^(2i/M)),  P[t,M/2+i] = cos(t / 10000^(2i/M))
 *
 * Source   arXiv:1706.03762 §3.5
 * Differs  sines and cosines lie in halves, not in turn
 */
export function sinusoids(positions: number, width: number): Tensor<"float32"> {
  const half = Math.ceil(width / 2);
  const data = Float32Array.from({ length: positions * width }, (_, i) => {
    const [t, column] = [Math.floor(i / width), i % width];
    const angle = t / 10000 ** ((2 * (column % half)) / width);
    return column < half ? Math.sin(angle) : Math.cos(angle);
  });
  return new Tensor("float32", [positions, width], data);
}

/** Names as checkpoints of today spell them, without the optional prefix. */
function canonicalName(withHead: boolean, sinusoidal: boolean, name: string): string | undefined {
  const current = name.replace(/^model\./, "");
  if (/^(encoder|decoder)\.(version|embed_positions\._float_tensor)$/.test(current)) return undefined;
  if (!withHead && (current === "final_logits_bias" || current === "lm_head.weight")) return undefined;
  // Sinusoids are stored by some versions, and are what they are computed to be.
  if (sinusoidal && current.endsWith("embed_positions.weight")) return undefined;
  // Both sides read the one table.
  return /^(encoder|decoder)\.embed_tokens\.weight$/.test(current) ? "shared.weight" : current;
}

/**
 * An encoder and a decoder in BART's names.
 *
 * Throws   UnsupportedError on sizes that do not fit
 * Source   arXiv:1910.13461 §2.1
 */
export function bartModel(family: string, architecture: string, config: BartConfig, traits: BartTraits): PairModel {
  const { d_model: width, vocab_size: vocabulary, max_position_embeddings: positions } = config;
  const { withHead, normFirst, embeddingNorm, positionOffset: offset, startsWithLast = false } = traits;
  const sizes = {
    encoder: bartSide(family, width, config.encoder_layers, config.encoder_attention_heads, positions),
    decoder: bartSide(family, width, config.decoder_layers, config.decoder_attention_heads, positions),
  };
  const table = offset === undefined ? constant(sinusoids(positions, width)) : undefined;
  const embedded = (side: Side, ids: string, index: string) => (context: GraphContext) => {
    const { weight, input, tap } = context;
    const rows = build.gather(weight("shared.weight"), input(ids), 0);
    const embed = tap(`${side}.embed`, config.scale_embedding ? build.mul(rows, Math.sqrt(width)) : rows);
    const places = table
      ? build.gather(table, input(index), 0)
      : build.gather(weight(`${side}.embed_positions.weight`), build.add(input(index), offset!), 0);
    const sum = build.add(embed, tap(`${side}.pos_embed`, places));
    return embeddingNorm ? layerNorm(context, `${side}.layernorm_embedding`, sum, epsilon) : sum;
  };
  return {
    ...{ family, architecture, width, vocabulary, ...sizes, startsWithLast },
    padId: config.pad_token_id ?? 0,
    endIds: config.eos_token_id,
    startId: config.decoder_start_token_id ?? undefined,
    tensors: [
      { name: "shared.weight", shape: [vocabulary, width] },
      ...sides.flatMap((side) => [
        ...(offset === undefined
          ? []
          : [{ name: `${side}.embed_positions.weight`, shape: [positions + offset, width] }]),
        ...(embeddingNorm ? normSpecs(`${side}.layernorm_embedding`, width) : []),
        ...bartBlockSpecs(side, sizes[side], width, config[`${side}_ffn_dim`]),
        ...(normFirst ? normSpecs(`${side}.layer_norm`, width) : []),
      ]),
      ...(withHead
        ? [
            { name: "final_logits_bias", shape: [1, vocabulary], optional: true },
            // A tied unembedding is stored again by some versions.
            { name: "lm_head.weight", shape: [vocabulary, width], optional: config.tie_word_embeddings },
          ]
        : []),
    ],
    canonicalName: (name) => canonicalName(withHead, offset === undefined, name),
    unembedding: withHead ? "lm_head" : undefined,
    embedded: {
      encoder: embedded("encoder", "input_ids", "token_index"),
      decoder: embedded("decoder", "decoder_input_ids", "decoder_index"),
    },
    block: (context, side, layer, biases) =>
      bartBlock(context, side, layer, sizes[side], config.activation_function, normFirst, biases),
    ...(normFirst ? { finalNorm: (context, side, x) => layerNorm(context, `${side}.layer_norm`, x, epsilon) } : {}),
    ...(withHead
      ? {
          logits: ({ weight, has }, x) => {
            const unembed = weight(has("lm_head.weight") ? "lm_head.weight" : "shared.weight");
            const logits = build.matMul(x, build.transpose(unembed, [1, 0]));
            return has("final_logits_bias") ? build.add(logits, weight("final_logits_bias")) : logits;
          },
        }
      : {}),
  };
}
