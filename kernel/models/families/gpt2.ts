import type { Value } from "../../graph/index.js";
import { build } from "../../graph/index.js";
import { UnsupportedError } from "../../tensor/index.js";
import { causalBlueprint } from "../causalModel.js";
import { amount, choice, count, flag, maybe, only, readConfig, tokenId, tokenIds } from "../config.js";
import type { Blueprint, Family, GraphContext, TensorSpec } from "../family.js";
import type { JsonObject } from "../json.js";
import { activations, layerNorm, splitHeads } from "../layers.js";
import { mlp } from "../mlp.js";
import { normSpecs } from "../postNormEncoder.js";

/** Defaults as in transformers' GPT2Config. */
const fields = {
  vocab_size: count(50257),
  n_positions: count(1024),
  n_embd: count(768),
  n_layer: count(12),
  n_head: count(12),
  n_inner: maybe(count()),
  activation_function: choice(Object.keys(activations), "gelu_new"),
  layer_norm_epsilon: amount(1e-5),
  scale_attn_weights: flag(true),
  scale_attn_by_inverse_layer_idx: flag(false),
  tie_word_embeddings: flag(true),
  pad_token_id: tokenId(null),
  eos_token_id: { ...tokenIds, fallback: [50256] },
  add_cross_attention: only(false),
  pruned_heads: only({}),
};

/** `reorder_and_upcast_attn` only moves roundings of half precision; the rest belongs to training and other heads. */
const ignored = [
  "attn_pdrop",
  "bos_token_id",
  "embd_pdrop",
  "n_ctx",
  "reorder_and_upcast_attn",
  "resid_pdrop",
  "summary_activation",
  "summary_first_dropout",
  "summary_proj_to_labels",
  "summary_type",
  "summary_use_proj",
];

/** A linear layer whose weight is stored [in, out]. */
function conv1d({ weight }: GraphContext, name: string, x: Value): Value {
  return build.add(build.matMul(x, weight(`${name}.weight`)), weight(`${name}.bias`));
}

function conv1dSpecs(name: string, inputs: number, outputs: number): TensorSpec[] {
  return [
    { name: `${name}.weight`, shape: [inputs, outputs] },
    { name: `${name}.bias`, shape: [outputs] },
  ];
}

function open(architecture: string, json: JsonObject): Blueprint {
  const config = readConfig("gpt2", json, fields, ignored);
  const { n_embd: width, n_head: heads, n_layer: layers, layer_norm_epsilon: epsilon } = config;
  if (width % heads !== 0) {
    throw new UnsupportedError(`gpt2: n_embd must be a multiple of n_head, got ${width} and ${heads}`);
  }
  const mlpWidth = config.n_inner ?? 4 * width;
  const headDim = width / heads;
  return causalBlueprint({
    family: "gpt2",
    architecture,
    layers,
    heads,
    headDim,
    width,
    vocabulary: config.vocab_size,
    positions: config.n_positions,
    padId: config.pad_token_id,
    endIds: config.eos_token_id,
    withHead: architecture === "GPT2LMHeadModel",
    tied: config.tie_word_embeddings,
    names: { embed: "wte", head: "lm_head" },
    prefix: /^transformer\./,
    buffers: /^h\.\d+\.attn\.(bias|masked_bias)$/,
    tensors: [
      { name: "wpe.weight", shape: [config.n_positions, width] },
      ...Array.from({ length: layers }, (_, layer) => `h.${layer}.`).flatMap((prefix) => [
        ...normSpecs(`${prefix}ln_1`, width),
        ...conv1dSpecs(`${prefix}attn.c_attn`, width, 3 * width),
        ...conv1dSpecs(`${prefix}attn.c_proj`, width, width),
        ...normSpecs(`${prefix}ln_2`, width),
        ...conv1dSpecs(`${prefix}mlp.c_fc`, width, mlpWidth),
        ...conv1dSpecs(`${prefix}mlp.c_proj`, mlpWidth, width),
      ]),
      ...normSpecs("ln_f", width),
    ],
    embedded: ({ tap, weight, input }, rows) =>
      build.add(tap("embed", rows), tap("pos_embed", build.gather(weight("wpe.weight"), input("position_ids"), 0))),
    block: (context, layer) => {
      const prefix = `h.${layer}.`;
      const scale = config.scale_attn_weights ? 1 / Math.sqrt(headDim) : 1;
      return {
        attentionNorm: (x) => layerNorm(context, `${prefix}ln_1`, x, epsilon),
        project: (x) => {
          const all = conv1d(context, `${prefix}attn.c_attn`, x);
          const part = (i: number): Value => splitHeads(build.slice(all, 2, i * width, (i + 1) * width), heads);
          return [part(0), part(1), part(2)];
        },
        scale: config.scale_attn_by_inverse_layer_idx ? scale / (layer + 1) : scale,
        output: (x) => conv1d(context, `${prefix}attn.c_proj`, x),
        mlpNorm: (x) => layerNorm(context, `${prefix}ln_2`, x, epsilon),
        mlp: (x, tap) =>
          mlp(
            tap,
            config.activation_function,
            (y) => conv1d(context, `${prefix}mlp.c_fc`, y),
            (y) => conv1d(context, `${prefix}mlp.c_proj`, y),
            x,
          ),
      };
    },
    finalNorm: (context, x) => layerNorm(context, "ln_f", x, epsilon),
  });
}

/**
 * GPT-2: learned positions, layer norms, fused queries, keys and values.
 *
 * Range    positions count padding unless they are given
 * Source   Radford et al. 2019, "Language Models are Unsupervised Multitask Learners" §2.3
 */
export const gpt2: Family = { name: "gpt2", architectures: ["GPT2Model", "GPT2LMHeadModel"], open };
