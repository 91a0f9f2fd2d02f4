import type { Value } from "../../graph/index.js";
import { build } from "../../graph/index.js";
import { causalBlueprint } from "../causalModel.js";
import { amount, flag, readConfig } from "../config.js";
import type { Blueprint, Family } from "../family.js";
import { gatedDecoder, gatedFields, gatedIgnored, hiddenAct } from "../gatedDecoder.js";
import type { JsonObject } from "../json.js";

/** Defaults as in transformers' GraniteConfig. */
const fields = {
  ...gatedFields,
  hidden_act: hiddenAct,
  attention_bias: flag(false),
  mlp_bias: flag(false),
  embedding_multiplier: amount(1),
  attention_multiplier: amount(1),
  residual_multiplier: amount(1),
  logits_scaling: amount(1),
};

function open(architecture: string, json: JsonObject): Blueprint {
  const config = readConfig("granite", json, fields, gatedIgnored);
  const traits = {
    activation: config.hidden_act,
    queryKeyValueBias: config.attention_bias,
    outputBias: config.attention_bias,
    mlpBias: config.mlp_bias,
    scale: config.attention_multiplier,
    embedScale: config.embedding_multiplier,
  };
  const model = gatedDecoder("granite", architecture, config, traits);
  const damped = (x: Value): Value => build.mul(x, config.residual_multiplier);
  return causalBlueprint({
    ...model,
    block: (context, layer) => ({
      ...model.block(context, layer),
      attentionScale: config.residual_multiplier,
      mlpPostNorm: damped,
    }),
    logitDivisor: config.logits_scaling,
  });
}

/**
 * Granite 3: Llama's blocks with four constants, on embeddings, scores, what sublayers write, and logits.
 *
 * Source   arXiv:2408.13359
 */
export const granite: Family = { name: "granite", architectures: ["GraniteModel", "GraniteForCausalLM"], open };
