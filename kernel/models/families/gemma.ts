import { causalBlueprint } from "../causalModel.js";
import { choice, count, flag, maybe, only, readConfig, tokenId } from "../config.js";
import type { Blueprint, Family } from "../family.js";
import { gateActivations, gatedDecoder, gatedFields, gatedIgnored } from "../gatedDecoder.js";
import type { JsonObject } from "../json.js";
import { rms } from "../norms.js";

/** Defaults as in transformers' GemmaConfig. */
const fields = {
  ...gatedFields,
  vocab_size: count(256000),
  hidden_size: count(3072),
  intermediate_size: count(24576),
  num_hidden_layers: count(28),
  num_attention_heads: count(16),
  num_key_value_heads: maybe(count(), 16),
  head_dim: count(256),
  hidden_act: choice(gateActivations, "gelu_pytorch_tanh"),
  hidden_activation: maybe(only("gelu_pytorch_tanh")),
  max_position_embeddings: count(8192),
  pad_token_id: tokenId(0),
  eos_token_id: { ...gatedFields.eos_token_id, fallback: [1] },
  tie_word_embeddings: flag(true),
  attention_bias: flag(false),
  use_bidirectional_attention: only<boolean | null>(null, false),
};

function open(architecture: string, json: JsonObject): Blueprint {
  const config = readConfig("gemma", json, fields, gatedIgnored);
  const { hidden_act: named, hidden_activation: current, attention_bias: bias } = config;
  const traits = {
    // The first release said "gelu" and meant its approximation by tanh.
    activation: current ?? (named === "gelu" ? "gelu_pytorch_tanh" : named),
    queryKeyValueBias: bias,
    outputBias: bias,
    norm: rms(config.rms_norm_eps, "plus one"),
    embedScale: Math.sqrt(config.hidden_size),
  };
  return causalBlueprint(gatedDecoder("gemma", architecture, config, traits));
}

/**
 * Gemma 1: scaled embeddings, heads wider than their share of the stream, norms around one.
 *
 * Source   arXiv:2403.08295 §2
 */
export const gemma: Family = { name: "gemma", architectures: ["GemmaModel", "GemmaForCausalLM"], open };
