import type { Value } from "../../graph/index.js";
import { build } from "../../graph/index.js";
import { causalBlueprint } from "../causalModel.js";
import { amount, count, flag, maybe, readConfig, tokenId } from "../config.js";
import type { Blueprint, Family } from "../family.js";
import { decoderFields, gatedDecoder, gatedIgnored, hiddenAct } from "../gatedDecoder.js";
import type { JsonObject } from "../json.js";
import { bare } from "../norms.js";

/** Defaults as in transformers' OlmoConfig. */
const fields = {
  ...decoderFields,
  hidden_act: hiddenAct,
  vocab_size: count(50304),
  pad_token_id: tokenId(1),
  eos_token_id: { ...decoderFields.eos_token_id, fallback: [50279] },
  attention_bias: flag(false),
  clip_qkv: maybe(amount(0)),
};

/** The config has no attribute for it. */
const epsilon = 1e-5;

function open(architecture: string, json: JsonObject): Blueprint {
  const config = readConfig("olmo", json, fields, gatedIgnored);
  const { attention_bias: bias, clip_qkv: limit } = config;
  const traits = { activation: config.hidden_act, queryKeyValueBias: bias, outputBias: bias, norm: bare(epsilon) };
  const model = gatedDecoder("olmo", architecture, config, traits);
  if (limit === null) return causalBlueprint(model);
  return causalBlueprint({
    ...model,
    block: (context, layer) => {
      const block = model.block(context, layer);
      const project = (x: Value): readonly [Value, Value, Value] => {
        const [q, k, v] = block.project(x);
        return [build.clip(q, -limit, limit), build.clip(k, -limit, limit), build.clip(v, -limit, limit)];
      };
      return { ...block, project };
    },
  });
}

/**
 * OLMo 1: Llama's blocks with layer norms without weights; queries, keys and values may be clipped.
 *
 * Source   arXiv:2402.00838 §2.1
 */
export const olmo: Family = { name: "olmo", architectures: ["OlmoModel", "OlmoForCausalLM"], open };
