import { causalBlueprint } from "../causalModel.js";
import { count, maybe, readConfig } from "../config.js";
import type { Blueprint, Family } from "../family.js";
import { gatedDecoder, gatedFields, gatedIgnored, hiddenAct } from "../gatedDecoder.js";
import type { JsonObject } from "../json.js";

/** Defaults as in transformers' MistralConfig. */
const fields = {
  ...gatedFields,
  hidden_act: hiddenAct,
  intermediate_size: count(14336),
  num_key_value_heads: maybe(count(), 8),
  max_position_embeddings: count(131072),
  sliding_window: maybe(count(), 4096),
};

function open(architecture: string, json: JsonObject): Blueprint {
  const config = readConfig("mistral", json, fields, gatedIgnored);
  const window = (): number | undefined => config.sliding_window ?? undefined;
  return causalBlueprint(gatedDecoder("mistral", architecture, config, { activation: config.hidden_act, window }));
}

/**
 * Mistral: Llama's blocks in which a query sees the last `sliding_window` keys, in every layer.
 *
 * Source   arXiv:2310.06825
 */
export const mistral: Family = { name: "mistral", architectures: ["MistralModel", "MistralForCausalLM"], open };
