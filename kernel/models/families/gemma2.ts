import { causalBlueprint } from "../causalModel.js";
import { amount, choice, count, flag, maybe, only, readConfig, tokenId } from "../config.js";
import type { Blueprint, Family } from "../family.js";
import { gateActivations, gatedDecoder, gatedFields, gatedIgnored } from "../gatedDecoder.js";
import type { JsonObject } from "../json.js";
import { rms } from "../norms.js";
import { layerTypes, windowsOf } from "../slidingLayers.js";

/** Defaults as in transformers' Gemma2Config. */
const fields = {
  ...gatedFields,
  vocab_size: count(256000),
  hidden_size: count(2304),
  intermediate_size: count(9216),
  num_hidden_layers: count(26),
  num_attention_heads: count(8),
  num_key_value_heads: maybe(count(), 4),
  head_dim: count(256),
  hidden_activation: choice(gateActivations, "gelu_pytorch_tanh"),
  max_position_embeddings: count(8192),
  pad_token_id: tokenId(0),
  eos_token_id: { ...gatedFields.eos_token_id, fallback: [1] },
  tie_word_embeddings: flag(true),
  attention_bias: flag(false),
  query_pre_attn_scalar: amount(256),
  sliding_window: maybe(count(), 4096),
  layer_types: layerTypes,
  attn_logit_softcapping: maybe(amount(50), 50),
  final_logit_softcapping: maybe(amount(30), 30),
  use_bidirectional_attention: only<boolean | null>(null, false),
};

/** `hidden_act` stands in older files beside the attribute that is read; the cache is transformers' own. */
const ignored = [...gatedIgnored, "cache_implementation", "hidden_act"];

function open(architecture: string, json: JsonObject): Blueprint {
  const config = readConfig("gemma2", json, fields, ignored);
  const { num_hidden_layers: layers, attention_bias: bias } = config;
  const traits = {
    activation: config.hidden_activation,
    queryKeyValueBias: bias,
    outputBias: bias,
    norms: "around" as const,
    norm: rms(config.rms_norm_eps, "plus one"),
    window: windowsOf("gemma2", layers, config.layer_types, config.sliding_window, (layer) => layer % 2 === 0),
    scale: 1 / Math.sqrt(config.query_pre_attn_scalar),
    softcap: config.attn_logit_softcapping ?? undefined,
    logitCap: config.final_logit_softcapping ?? undefined,
    embedScale: Math.sqrt(config.hidden_size),
  };
  return causalBlueprint(gatedDecoder("gemma2", architecture, config, traits));
}

/**
 * Gemma 2: norms before and after each sublayer, capped scores and logits, a sliding window in every second layer.
 *
 * Source   arXiv:2408.00118 §2
 */
export const gemma2: Family = { name: "gemma2", architectures: ["Gemma2Model", "Gemma2ForCausalLM"], open };
