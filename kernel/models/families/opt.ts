import { build } from "../../graph/index.js";
import { UnsupportedError } from "../../tensor/index.js";
import { causalBlueprint } from "../causalModel.js";
import { choice, count, flag, maybe, only, readConfig, tokenId, tokenIds } from "../config.js";
import type { Blueprint, Family } from "../family.js";
import { realPositions } from "../feeds.js";
import type { JsonObject } from "../json.js";
import { activations, layerNorm, linear, splitHeads } from "../layers.js";
import { mlp } from "../mlp.js";
import { linearSpecs, normSpecs } from "../postNormEncoder.js";

/** Defaults as in transformers' OPTConfig. */
const fields = {
  vocab_size: count(50272),
  hidden_size: count(768),
  num_hidden_layers: count(12),
  ffn_dim: count(3072),
  max_position_embeddings: count(2048),
  num_attention_heads: count(12),
  activation_function: choice(Object.keys(activations), "relu"),
  word_embed_proj_dim: maybe(count()),
  pad_token_id: tokenId(1),
  eos_token_id: { ...tokenIds, fallback: [2] },
  tie_word_embeddings: flag(true),
  do_layer_norm_before: only(true),
  _remove_final_layer_norm: only(false),
  enable_bias: only(true),
  layer_norm_elementwise_affine: only(true),
  pruned_heads: only({}),
  is_decoder: flag(true),
};

const ignored = ["attention_dropout", "bos_token_id", "dropout", "init_std", "layerdrop", "prefix"];

/** The config has no attribute for it: PyTorch's default holds. */
const epsilon = 1e-5;

/** The first rows of the position table belong to no real token. */
const offset = 2;

function open(architecture: string, json: JsonObject): Blueprint {
  const config = readConfig("opt", json, fields, ignored);
  const { hidden_size: width, num_attention_heads: heads, num_hidden_layers: layers, ffn_dim: mlpWidth } = config;
  if (width % heads !== 0) {
    throw new UnsupportedError(`opt: hidden_size must be a multiple of num_attention_heads, got ${width} and ${heads}`);
  }
  if ((config.word_embed_proj_dim ?? width) !== width) {
    throw new UnsupportedError(
      `opt: word_embed_proj_dim = ${config.word_embed_proj_dim} is not handled; expected hidden_size ${width}`,
    );
  }
  const headDim = width / heads;
  return causalBlueprint({
    family: "opt",
    architecture,
    layers,
    heads,
    headDim,
    width,
    vocabulary: config.vocab_size,
    positions: config.max_position_embeddings,
    padId: config.pad_token_id,
    endIds: config.eos_token_id,
    withHead: architecture === "OPTForCausalLM",
    tied: config.tie_word_embeddings,
    names: { embed: "embed_tokens", head: "lm_head" },
    prefix: /^(model\.)?decoder\./,
    buffers: /^version$/,
    tensors: [
      { name: "embed_positions.weight", shape: [config.max_position_embeddings + offset, width] },
      ...Array.from({ length: layers }, (_, layer) => `layers.${layer}.`).flatMap((prefix) => [
        ...["q", "k", "v", "out"].flatMap((part) => linearSpecs(`${prefix}self_attn.${part}_proj`, width, width)),
        ...normSpecs(`${prefix}self_attn_layer_norm`, width),
        ...linearSpecs(`${prefix}fc1`, mlpWidth, width),
        ...linearSpecs(`${prefix}fc2`, width, mlpWidth),
        ...normSpecs(`${prefix}final_layer_norm`, width),
      ]),
      ...normSpecs("final_layer_norm", width),
    ],
    embedded: ({ tap, weight, input }, rows) => {
      const places = build.gather(weight("embed_positions.weight"), build.add(input("position_ids"), offset), 0);
      return build.add(tap("embed", rows), tap("pos_embed", places));
    },
    count: (batch) => realPositions(batch, -1),
    block: (context, layer) => {
      const prefix = `layers.${layer}.`;
      return {
        attentionNorm: (x) => layerNorm(context, `${prefix}self_attn_layer_norm`, x, epsilon),
        project: (x) => {
          const [q, k, v] = ["q", "k", "v"].map((part) =>
            splitHeads(linear(context, `${prefix}self_attn.${part}_proj`, x), heads),
          );
          return [q, k, v];
        },
        scale: 1 / Math.sqrt(headDim),
        output: (x) => linear(context, `${prefix}self_attn.out_proj`, x),
        mlpNorm: (x) => layerNorm(context, `${prefix}final_layer_norm`, x, epsilon),
        mlp: (x, tap) =>
          mlp(
            tap,
            config.activation_function,
            (y) => linear(context, `${prefix}fc1`, y),
            (y) => linear(context, `${prefix}fc2`, y),
            x,
          ),
      };
    },
    finalNorm: (context, x) => layerNorm(context, "final_layer_norm", x, epsilon),
  });
}

/**
 * OPT: learned positions that count real tokens only, ReLU.
 *
 * Source   arXiv:2205.01068 §2.1
 */
export const opt: Family = { name: "opt", architectures: ["OPTModel", "OPTForCausalLM"], open };
