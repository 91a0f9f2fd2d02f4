import { causalBlueprint } from "../causalModel.js";
import { count, flag, maybe, readConfig } from "../config.js";
import type { Blueprint, Family } from "../family.js";
import { gatedDecoder, gatedFields, gatedIgnored, hiddenAct } from "../gatedDecoder.js";
import type { JsonObject } from "../json.js";
import { layerTypes, windowsOf } from "../slidingLayers.js";

/** Defaults as in transformers' Qwen2Config. */
const fields = {
  ...gatedFields,
  hidden_act: hiddenAct,
  vocab_size: count(151936),
  intermediate_size: count(22016),
  num_key_value_heads: maybe(count(), 32),
  max_position_embeddings: count(32768),
  eos_token_id: { ...gatedFields.eos_token_id, fallback: [] },
  use_sliding_window: flag(false),
  sliding_window: maybe(count(), 4096),
  max_window_layers: maybe(count(), 28),
  layer_types: layerTypes,
};

function open(architecture: string, json: JsonObject): Blueprint {
  const config = readConfig("qwen2", json, fields, gatedIgnored);
  const { num_hidden_layers: layers, max_window_layers: fullLayers } = config;
  const reach = config.use_sliding_window ? config.sliding_window : null;
  const window = windowsOf("qwen2", layers, config.layer_types, reach, (layer) => layer >= (fullLayers ?? 0));
  const traits = { activation: config.hidden_act, queryKeyValueBias: true, window };
  return causalBlueprint(gatedDecoder("qwen2", architecture, config, traits));
}

/**
 * Qwen2 and Qwen2.5: Llama's blocks with biases on queries, keys and values.
 *
 * Source   arXiv:2407.10671
 */
export const qwen2: Family = { name: "qwen2", architectures: ["Qwen2Model", "Qwen2ForCausalLM"], open };
