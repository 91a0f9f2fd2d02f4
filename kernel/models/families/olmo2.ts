import { causalBlueprint } from "../causalModel.js";
import { amount, count, flag, readConfig, tokenId } from "../config.js";
import type { Blueprint, Family } from "../family.js";
import { gatedDecoder, gatedFields, gatedIgnored, hiddenAct } from "../gatedDecoder.js";
import { allHeads } from "../headNorms.js";
import type { JsonObject } from "../json.js";
import { rms } from "../norms.js";

/** Defaults as in transformers' Olmo2Config. */
const fields = {
  ...gatedFields,
  hidden_act: hiddenAct,
  vocab_size: count(50304),
  rms_norm_eps: amount(1e-5),
  pad_token_id: tokenId(1),
  eos_token_id: { ...gatedFields.eos_token_id, fallback: [50279] },
  attention_bias: flag(false),
};

function open(architecture: string, json: JsonObject): Blueprint {
  const config = readConfig("olmo2", json, fields, gatedIgnored);
  const { attention_bias: bias } = config;
  const norm = rms(config.rms_norm_eps);
  const traits = {
    activation: config.hidden_act,
    queryKeyValueBias: bias,
    outputBias: bias,
    norm,
    norms: "after" as const,
    headNorms: allHeads(norm),
  };
  return causalBlueprint(gatedDecoder("olmo2", architecture, config, traits));
}

/**
 * OLMo 2: norms of what attention and MLP write instead of what they read, and of all queries and keys together.
 *
 * Source   arXiv:2501.00656
 */
export const olmo2: Family = { name: "olmo2", architectures: ["Olmo2Model", "Olmo2ForCausalLM"], open };
