import { build } from "../../graph/index.js";
import { UnsupportedError } from "../../tensor/index.js";
import { choice, count, flag, only, readConfig, tokenId } from "../config.js";
import type { Blueprint, Family } from "../family.js";
import { arange, tokenFeeds } from "../feeds.js";
import type { JsonObject } from "../json.js";
import { activations, layerNorm } from "../layers.js";
import type { MaskedHead } from "../maskedHead.js";
import { maskedHeadSpecs, maskedLogits } from "../maskedHead.js";
import { encoderSpecs, normSpecs, postNormEncoder } from "../postNormEncoder.js";
import { paddingBias } from "../visibility.js";

/** Defaults as in transformers' DistilBertConfig. */
const fields = {
  vocab_size: count(30522),
  dim: count(768),
  n_layers: count(6),
  n_heads: count(12),
  hidden_dim: count(3072),
  activation: choice(Object.keys(activations), "gelu"),
  max_position_embeddings: count(512),
  pad_token_id: tokenId(0),
  tie_word_embeddings: flag(true),
  pruned_heads: only({}),
};

/** Position tables are stored whether they were learned or computed, so how they began does not matter. */
const ignored = [
  "attention_dropout",
  "dropout",
  "qa_dropout",
  "seq_classif_dropout",
  "sinusoidal_pos_embds",
  "tie_weights_",
  "bos_token_id",
  "eos_token_id",
];

/** The config has no attribute for it: transformers fixes it. */
const epsilon = 1e-12;

function canonicalName(withHead: boolean, tied: boolean, name: string): string | undefined {
  const current = name.replace(/^distilbert\./, "");
  if (current === "embeddings.position_ids") return undefined;
  if (tied && current === "vocab_projector.weight") return undefined;
  return !withHead && current.startsWith("vocab_") ? undefined : current;
}

function open(architecture: string, json: JsonObject): Blueprint {
  const config = readConfig("distilbert", json, fields, ignored);
  const { dim: width, n_heads: heads, vocab_size: vocabulary, max_position_embeddings: positions } = config;
  if (width % heads !== 0) {
    throw new UnsupportedError(`distilbert: dim must be a multiple of n_heads, got ${width} and ${heads}`);
  }
  const sizes = {
    layers: config.n_layers,
    heads,
    width,
    mlpWidth: config.hidden_dim,
    activation: config.activation,
    epsilon,
    block: (layer: number) => `transformer.layer.${layer}`,
    names: {
      query: "attention.q_lin",
      key: "attention.k_lin",
      value: "attention.v_lin",
      output: "attention.out_lin",
      attentionNorm: "sa_layer_norm",
      mlpIn: "ffn.lin1",
      mlpOut: "ffn.lin2",
      mlpNorm: "output_layer_norm",
    },
  };
  const withHead = architecture === "DistilBertForMaskedLM";
  const tied = config.tie_word_embeddings;
  const head: MaskedHead = {
    dense: "vocab_transform",
    norm: "vocab_layer_norm",
    bias: "vocab_projector.bias",
    unembed: tied ? "embeddings.word_embeddings.weight" : "vocab_projector.weight",
    tied,
    activation: config.activation,
    epsilon,
  };
  return {
    family: "distilbert",
    architecture,
    layers: sizes.layers,
    heads,
    headDim: width / heads,
    width,
    vocabulary,
    positions,
    tokenTypes: 1,
    causal: false,
    padId: config.pad_token_id ?? 0,
    tensors: [
      { name: "embeddings.word_embeddings.weight", shape: [vocabulary, width] },
      { name: "embeddings.position_embeddings.weight", shape: [positions, width] },
      ...normSpecs("embeddings.LayerNorm", width),
      ...encoderSpecs(sizes),
      ...(withHead ? maskedHeadSpecs(head, width, vocabulary) : []),
    ],
    canonicalName: (name) => canonicalName(withHead, tied, name),
    inputs: ["input_ids", "attention_mask", "position_ids"],
    feeds: (batch) => tokenFeeds(batch, arange(batch)),
    build: (context) => {
      const { weight, input, tap } = context;
      const embed = tap("embed", build.gather(weight("embeddings.word_embeddings.weight"), input("input_ids"), 0));
      const rows = build.gather(weight("embeddings.position_embeddings.weight"), input("position_ids"), 0);
      const sum = build.add(embed, tap("pos_embed", rows));
      const normed = layerNorm(context, "embeddings.LayerNorm", sum, epsilon);
      const hidden = postNormEncoder(context, sizes, normed, paddingBias(input("attention_mask")));
      return withHead
        ? { logits: maskedLogits(context, head, hidden), last_hidden_state: hidden }
        : { last_hidden_state: hidden };
    },
  };
}

/**
 * DistilBERT: BERT without token types and pooler.
 *
 * Source   arXiv:1910.01108
 */
export const distilbert: Family = {
  name: "distilbert",
  architectures: ["DistilBertModel", "DistilBertForMaskedLM"],
  open,
};
