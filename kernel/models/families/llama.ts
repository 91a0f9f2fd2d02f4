import { causalBlueprint } from "../causalModel.js";
import { flag, readConfig } from "../config.js";
import type { Blueprint, Family } from "../family.js";
import { gatedDecoder, gatedFields, gatedIgnored, hiddenAct } from "../gatedDecoder.js";
import type { JsonObject } from "../json.js";

/** Defaults as in transformers' LlamaConfig. */
const fields = { ...gatedFields, hidden_act: hiddenAct, attention_bias: flag(false), mlp_bias: flag(false) };

function open(architecture: string, json: JsonObject): Blueprint {
  const config = readConfig("llama", json, fields, gatedIgnored);
  const traits = {
    activation: config.hidden_act,
    queryKeyValueBias: config.attention_bias,
    outputBias: config.attention_bias,
    mlpBias: config.mlp_bias,
  };
  return causalBlueprint(gatedDecoder("llama", architecture, config, traits));
}

/**
 * Llama 1 to 3: rotary positions, grouped keys and values, gated MLP.
 *
 * Source   arXiv:2302.13971, arXiv:2307.09288, arXiv:2407.21783
 */
export const llama: Family = { name: "llama", architectures: ["LlamaModel", "LlamaForCausalLM"], open };
