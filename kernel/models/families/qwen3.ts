import { causalBlueprint } from "../causalModel.js";
import { count, flag, maybe, readConfig } from "../config.js";
import type { Blueprint, Family } from "../family.js";
import { gatedDecoder, gatedFields, gatedIgnored, hiddenAct } from "../gatedDecoder.js";
import { eachHead } from "../headNorms.js";
import type { JsonObject } from "../json.js";
import { rms } from "../norms.js";
import { layerTypes, windowsOf } from "../slidingLayers.js";

/** Defaults as in transformers' Qwen3Config. */
const fields = {
  ...gatedFields,
  hidden_act: hiddenAct,
  vocab_size: count(151936),
  intermediate_size: count(22016),
  num_key_value_heads: maybe(count(), 32),
  head_dim: count(128),
  max_position_embeddings: count(32768),
  eos_token_id: { ...gatedFields.eos_token_id, fallback: [] },
  attention_bias: flag(false),
  use_sliding_window: flag(false),
  sliding_window: maybe(count(), 4096),
  max_window_layers: maybe(count(), 28),
  layer_types: layerTypes,
};

function open(architecture: string, json: JsonObject): Blueprint {
  const config = readConfig("qwen3", json, fields, gatedIgnored);
  const { num_hidden_layers: layers, max_window_layers: fullLayers, attention_bias: bias } = config;
  const reach = config.use_sliding_window ? config.sliding_window : null;
  const window = windowsOf("qwen3", layers, config.layer_types, reach, (layer) => layer >= (fullLayers ?? 0));
  const traits = {
    activation: config.hidden_act,
    queryKeyValueBias: bias,
    outputBias: bias,
    headNorms: eachHead(rms(config.rms_norm_eps)),
    window,
  };
  return causalBlueprint(gatedDecoder("qwen3", architecture, config, traits));
}

/**
 * Qwen3: Llama's blocks with a norm on each query and key before it is rotated.
 *
 * Source   arXiv:2505.09388 §2
 */
export const qwen3: Family = { name: "qwen3", architectures: ["Qwen3Model", "Qwen3ForCausalLM"], open };
