import { UnsupportedError } from "../../tensor/index.js";
import { alibiBias, alibiSlopes } from "../alibi.js";
import { causalBlueprint } from "../causalModel.js";
import { amount, count, flag, maybe, only, readConfig, respelled, tokenId, tokenIds } from "../config.js";
import type { Blueprint, Family } from "../family.js";
import type { JsonObject } from "../json.js";
import { layerNorm, linear, splitGroups } from "../layers.js";
import { mlp } from "../mlp.js";
import { linearSpecs, normSpecs } from "../postNormEncoder.js";

/** Defaults as in transformers' BloomConfig. */
const fields = {
  vocab_size: count(250880),
  hidden_size: count(64),
  n_layer: count(2),
  n_head: count(8),
  layer_norm_epsilon: amount(1e-5),
  apply_residual_connection_post_layernorm: only(false),
  tie_word_embeddings: flag(true),
  pad_token_id: tokenId(null),
  eos_token_id: { ...tokenIds, fallback: [2] },
  seq_length: maybe(count()),
  pruned_heads: only({}),
};

const spellings = { n_embed: "hidden_size", num_attention_heads: "n_head", num_hidden_layers: "n_layer" };

/** What training on several devices reads, and how sums were ordered there; the MLP is always four times as wide. */
const ignored = [
  "attention_dropout", "attention_softmax_in_fp32", "bias_dropout_fusion", "bos_token_id", "hidden_dropout",
  "masked_softmax_fusion", "n_inner", "offset_alibi", "pretraining_tp", "skip_bias_add", "skip_bias_add_qkv",
  "slow_but_exact", "unk_token_id",
]; // prettier-ignore

function open(architecture: string, json: JsonObject): Blueprint {
  const config = readConfig("bloom", respelled(json, spellings), fields, ignored);
  const { hidden_size: width, n_head: heads, n_layer: layers, layer_norm_epsilon: epsilon } = config;
  if (width % heads !== 0) {
    throw new UnsupportedError(`bloom: hidden_size must be a multiple of n_head, got ${width} and ${heads}`);
  }
  const slopes = alibiSlopes(heads);
  return causalBlueprint({
    family: "bloom",
    architecture,
    layers,
    heads,
    headDim: width / heads,
    width,
    vocabulary: config.vocab_size,
    positions: config.seq_length ?? Infinity,
    padId: config.pad_token_id,
    endIds: config.eos_token_id,
    withHead: architecture === "BloomForCausalLM",
    tied: config.tie_word_embeddings,
    names: { embed: "word_embeddings", head: "lm_head" },
    prefix: /^transformer\./,
    buffers: /^$/,
    tensors: [
      ...normSpecs("word_embeddings_layernorm", width),
      ...Array.from({ length: layers }, (_, layer) => `h.${layer}.`).flatMap((prefix) => [
        ...normSpecs(`${prefix}input_layernorm`, width),
        ...linearSpecs(`${prefix}self_attention.query_key_value`, 3 * width, width),
        ...linearSpecs(`${prefix}self_attention.dense`, width, width),
        ...normSpecs(`${prefix}post_attention_layernorm`, width),
        ...linearSpecs(`${prefix}mlp.dense_h_to_4h`, 4 * width, width),
        ...linearSpecs(`${prefix}mlp.dense_4h_to_h`, width, 4 * width),
      ]),
      ...normSpecs("ln_f", width),
    ],
    embedded: (context, rows) => layerNorm(context, "word_embeddings_layernorm", context.tap("embed", rows), epsilon),
    byKeys: true,
    block: (context, layer) => {
      const prefix = `h.${layer}.`;
      return {
        attentionNorm: (x) => layerNorm(context, `${prefix}input_layernorm`, x, epsilon),
        project: (x) => splitGroups(linear(context, `${prefix}self_attention.query_key_value`, x), heads, heads),
        scale: 1 / Math.sqrt(width / heads),
        keyBias: alibiBias(slopes, context.input("key_positions")),
        output: (x) => linear(context, `${prefix}self_attention.dense`, x),
        mlpNorm: (x) => layerNorm(context, `${prefix}post_attention_layernorm`, x, epsilon),
        mlp: (x, tap) =>
          mlp(
            tap,
            "gelu_pytorch_tanh",
            (y) => linear(context, `${prefix}mlp.dense_h_to_4h`, y),
            (y) => linear(context, `${prefix}mlp.dense_4h_to_h`, y),
            x,
          ),
      };
    },
    finalNorm: (context, x) => layerNorm(context, "ln_f", x, epsilon),
  });
}

/**
 * BLOOM: no positions but scores that fall with distance (ALiBi), a norm after the embedding.
 *
 * Source   arXiv:2211.05100 §3.2
 */
export const bloom: Family = { name: "bloom", architectures: ["BloomModel", "BloomForCausalLM"], open };
