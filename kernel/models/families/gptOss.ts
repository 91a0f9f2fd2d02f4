import { causalBlueprint } from "../causalModel.js";
import { clampedMixture } from "../clampedExperts.js";
import { amount, count, flag, maybe, only, readConfig, tokenId } from "../config.js";
import type { Blueprint, Family } from "../family.js";
import { gatedDecoder, gatedFields, gatedIgnored } from "../gatedDecoder.js";
import type { JsonObject } from "../json.js";
import { layerTypes, windowsOf } from "../slidingLayers.js";
import { UnsupportedError } from "../../tensor/index.js";

/** Defaults as in transformers' GptOssConfig. */
const fields = {
  ...gatedFields,
  vocab_size: count(201088),
  hidden_size: count(2880),
  intermediate_size: count(2880),
  num_hidden_layers: count(36),
  num_attention_heads: count(64),
  num_key_value_heads: maybe(count(), 8),
  head_dim: maybe(count(), 64),
  max_position_embeddings: count(131072),
  rms_norm_eps: amount(1e-5),
  eos_token_id: { ...gatedFields.eos_token_id, fallback: [] },
  pad_token_id: tokenId(null),
  rope_theta: amount(150000),
  hidden_act: only("silu"),
  attention_bias: flag(true),
  sliding_window: maybe(count(), 128),
  layer_types: layerTypes,
  num_local_experts: count(128),
  num_experts_per_tok: count(4),
  swiglu_alpha: amount(1.702),
  swiglu_limit: amount(7),
};

/** Only training reads them, or they repeat what other attributes say. */
const ignored = [
  ...gatedIgnored,
  "experts_per_token",
  "initial_context_length",
  "output_router_logits",
  "router_aux_loss_coef",
];

/** The rotary positions of a config that says nothing of them, as in transformers. */
const yarn: JsonObject = {
  rope_type: "yarn",
  factor: 32,
  beta_fast: 32,
  beta_slow: 1,
  truncate: false,
  original_max_position_embeddings: 4096,
};

function open(architecture: string, json: JsonObject): Blueprint {
  const saysNothing = (json["rope_parameters"] ?? json["rope_scaling"] ?? null) === null;
  const config = readConfig("gptOss", saysNothing ? { ...json, rope_scaling: yarn } : json, fields, ignored);
  const { num_local_experts: experts, num_experts_per_tok: perToken, num_hidden_layers: layers } = config;
  if (perToken > experts) {
    throw new UnsupportedError(
      `gptOss: num_experts_per_tok must be at most num_local_experts, got ${perToken} and ${experts}`,
    );
  }
  const traits = {
    activation: config.hidden_act,
    queryKeyValueBias: config.attention_bias,
    outputBias: config.attention_bias,
    window: windowsOf("gptOss", layers, config.layer_types, config.sliding_window, (layer) => layer % 2 === 0),
    mlp: clampedMixture({
      count: experts,
      perToken,
      width: config.intermediate_size,
      gain: config.swiglu_alpha,
      limit: config.swiglu_limit,
    }),
  };
  const model = gatedDecoder("gptOss", architecture, config, traits);
  const sink = (layer: number): string => `layers.${layer}.self_attn.sinks`;
  return causalBlueprint({
    ...model,
    tensors: [
      ...model.tensors,
      ...Array.from({ length: layers }, (_, layer) => ({ name: sink(layer), shape: [model.heads] })),
    ],
    block: (context, layer) => ({ ...model.block(context, layer), sink: context.weight(sink(layer)) }),
  });
}

/**
 * gpt-oss: one more logit per head, which takes attention and gives nothing; every other layer with a window; experts with
 * a clamped gate. Weights in MXFP4 are refused: convert them to bfloat16 first.
 *
 * Range    rows of a pattern sum to less than 1: the rest is the sink's
 * Source   arXiv:2508.10925 §2
 */
export const gptOss: Family = { name: "gptOss", architectures: ["GptOssModel", "GptOssForCausalLM"], open };
