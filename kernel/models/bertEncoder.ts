import type { Value } from "../graph/index.js";
import { build } from "../graph/index.js";
import { UnsupportedError } from "../tensor/index.js";
import type { FieldsOf } from "./config.js";
import { amount, choice, count, flag, only, tokenId } from "./config.js";
import type { Batch, Blueprint, GraphContext, TensorSpec } from "./family.js";
import { tokenFeeds } from "./feeds.js";
import { activations, layerNorm, linear } from "./layers.js";
import type { MaskedHead } from "./maskedHead.js";
import { maskedHeadSpecs, maskedLogits } from "./maskedHead.js";
import type { EncoderSizes } from "./postNormEncoder.js";
import { encoderSpecs, linearSpecs, normSpecs, postNormEncoder } from "./postNormEncoder.js";
import { paddingBias } from "./visibility.js";

export interface BertConfig {
  readonly vocab_size: number;
  readonly hidden_size: number;
  readonly num_hidden_layers: number;
  readonly num_attention_heads: number;
  readonly intermediate_size: number;
  readonly hidden_act: string;
  readonly max_position_embeddings: number;
  readonly type_vocab_size: number;
  readonly layer_norm_eps: number;
  readonly pad_token_id: number | null;
  readonly tie_word_embeddings: boolean;
  readonly position_embedding_type: "absolute";
  readonly is_decoder: false;
  readonly is_encoder_decoder: false;
  readonly add_cross_attention: false;
  readonly pruned_heads: object;
}

/** Attributes of the configs of BERT and of what grew from it, with the defaults of transformers' BertConfig. */
export const bertFields: FieldsOf<BertConfig> = {
  vocab_size: count(30522),
  hidden_size: count(768),
  num_hidden_layers: count(12),
  num_attention_heads: count(12),
  intermediate_size: count(3072),
  hidden_act: choice(Object.keys(activations), "gelu"),
  max_position_embeddings: count(512),
  type_vocab_size: count(2),
  layer_norm_eps: amount(1e-12),
  pad_token_id: tokenId(0),
  tie_word_embeddings: flag(true),
  position_embedding_type: only("absolute"),
  is_decoder: only(false),
  is_encoder_decoder: only(false),
  add_cross_attention: only(false),
  pruned_heads: only({}),
};

/** Attributes that only training or other heads read. */
export const bertIgnored: readonly string[] = [
  "attention_probs_dropout_prob",
  "hidden_dropout_prob",
  "classifier_dropout",
  "bos_token_id",
  "eos_token_id",
  "sep_token_id",
];

/** Sizes and names of the blocks; throws UnsupportedError unless the width divides into the heads. */
export function bertSizes(family: string, config: BertConfig): EncoderSizes {
  const { hidden_size: width, num_attention_heads: heads } = config;
  if (width % heads !== 0) {
    throw new UnsupportedError(
      `${family}: hidden_size must be a multiple of num_attention_heads, got ${width} and ${heads}`,
    );
  }
  return {
    layers: config.num_hidden_layers,
    heads,
    width,
    mlpWidth: config.intermediate_size,
    activation: config.hidden_act,
    epsilon: config.layer_norm_eps,
    block: (layer) => `encoder.layer.${layer}`,
    names: {
      query: "attention.self.query",
      key: "attention.self.key",
      value: "attention.self.value",
      output: "attention.output.dense",
      attentionNorm: "attention.output.LayerNorm",
      mlpIn: "intermediate.dense",
      mlpOut: "output.dense",
      mlpNorm: "output.LayerNorm",
    },
  };
}

/** The weights of embeddings and blocks, and of the optional pooler. */
function bertSpecs(config: BertConfig, sizes: EncoderSizes, withPooler: boolean): readonly TensorSpec[] {
  const { vocab_size: vocabulary, max_position_embeddings: positions, type_vocab_size: types } = config;
  const { width } = sizes;
  const pooler = linearSpecs("pooler.dense", width, width).map((spec) => ({ ...spec, optional: true }));
  return [
    { name: "embeddings.word_embeddings.weight", shape: [vocabulary, width] },
    { name: "embeddings.position_embeddings.weight", shape: [positions, width] },
    { name: "embeddings.token_type_embeddings.weight", shape: [types, width] },
    ...normSpecs("embeddings.LayerNorm", width),
    ...encoderSpecs(sizes),
    ...(withPooler ? pooler : []),
  ];
}

/** Embeddings and blocks: the last hidden state, [B,Q,M]. */
function bertHidden(context: GraphContext, sizes: EncoderSizes): Value {
  const { weight, input, tap } = context;
  const rows = (table: string, ids: string): Value => build.gather(weight(`embeddings.${table}.weight`), input(ids), 0);
  const embed = tap("embed", rows("word_embeddings", "input_ids"));
  const positions = tap("pos_embed", rows("position_embeddings", "position_ids"));
  const types = tap("token_type_embed", rows("token_type_embeddings", "token_type_ids"));
  const sum = build.add(build.add(embed, types), positions);
  const normed = layerNorm(context, "embeddings.LayerNorm", sum, sizes.epsilon);
  return postNormEncoder(context, sizes, normed, paddingBias(input("attention_mask")));
}

/** The outputs of a model without a head: `tanh(W · first + b)` where the checkpoint holds a pooler. */
function pooled(context: GraphContext, hidden: Value): Readonly<Record<string, Value>> {
  if (!context.has("pooler.dense.weight")) return { last_hidden_state: hidden };
  const first = build.squeeze(build.slice(hidden, 1, 0, 1), [1]); // [B,M]
  return { last_hidden_state: hidden, pooler_output: build.tanh(linear(context, "pooler.dense", first)) };
}

/** The name that current checkpoints use for a layer norm's tensors. */
export function currentNormName(name: string): string {
  return name.replace(/LayerNorm\.gamma$/, "LayerNorm.weight").replace(/LayerNorm\.beta$/, "LayerNorm.bias");
}

/** Where BERT and what grew from it differ. */
export interface BertParts extends Pick<
  Blueprint,
  "family" | "architecture" | "padId" | "positions" | "canonicalName"
> {
  readonly config: BertConfig;
  readonly sizes: EncoderSizes;
  /** Undefined for an architecture without one, which has a pooler instead. */
  readonly head: MaskedHead | undefined;
  /** Counts positions where none are given. */
  readonly count: (batch: Batch) => Int32Array;
}

/** The blueprint of an encoder of BERT's kind. */
export function bertBlueprint({ config, sizes, head, count, ...own }: BertParts): Blueprint {
  const { layers, heads, width } = sizes;
  const vocabulary = config.vocab_size;
  return {
    ...own,
    layers,
    heads,
    headDim: width / heads,
    width,
    vocabulary,
    tokenTypes: config.type_vocab_size,
    causal: false,
    tensors: [...bertSpecs(config, sizes, !head), ...(head ? maskedHeadSpecs(head, width, vocabulary) : [])],
    inputs: ["input_ids", "attention_mask", "token_type_ids", "position_ids"],
    feeds: (batch) => tokenFeeds(batch, count(batch)),
    build: (context) => {
      const hidden = bertHidden(context, sizes);
      return head
        ? { logits: maskedLogits(context, head, hidden), last_hidden_state: hidden }
        : pooled(context, hidden);
    },
  };
}
