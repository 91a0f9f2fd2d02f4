import { UnsupportedError } from "../../tensor/index.js";
import { causalBlueprint } from "../causalModel.js";
import { amount, choice, count, flag, maybe, only, readConfig, record, respelled, tokenId } from "../config.js";
import type { Blueprint, Family } from "../family.js";
import { gateActivations, gatedDecoder, gatedFields, gatedIgnored } from "../gatedDecoder.js";
import { eachHead } from "../headNorms.js";
import type { JsonObject } from "../json.js";
import { rms } from "../norms.js";
import { rotaryOf } from "../rotary.js";
import { layerTypes, windowsOf } from "../slidingLayers.js";

/** Defaults as in transformers' Gemma3TextConfig. */
const fields = {
  ...gatedFields,
  vocab_size: count(262208),
  hidden_size: count(2304),
  intermediate_size: count(9216),
  num_hidden_layers: count(26),
  num_attention_heads: count(8),
  num_key_value_heads: maybe(count(), 4),
  head_dim: count(256),
  hidden_activation: choice(gateActivations, "gelu_pytorch_tanh"),
  max_position_embeddings: count(131072),
  pad_token_id: tokenId(0),
  eos_token_id: { ...gatedFields.eos_token_id, fallback: [1] },
  tie_word_embeddings: flag(true),
  attention_bias: flag(false),
  query_pre_attn_scalar: amount(256),
  sliding_window: maybe(count(), 4096),
  sliding_window_pattern: count(6),
  layer_types: layerTypes,
  attn_logit_softcapping: only(null),
  final_logit_softcapping: maybe(amount(30)),
  use_bidirectional_attention: only<boolean | null>(false, null),
  rope_theta: amount(1e6),
  rope_local_base_freq: amount(10000),
};

const ignored = [...gatedIgnored, "cache_implementation", "hidden_act"];

/** One kind of layer's part of `rope_parameters`; throws UnsupportedError on others. */
function partOf(parameters: JsonObject | null, kind: string): JsonObject | null {
  const unknown = Object.keys(parameters ?? {}).find((name) => !["full_attention", "sliding_attention"].includes(name));
  if (unknown !== undefined) {
    throw new UnsupportedError(
      `gemma3: "${unknown}" of rope_parameters is not handled; known: full_attention, sliding_attention`,
    );
  }
  return maybe(record).read(parameters?.[kind] ?? null) ?? null;
}

function open(architecture: string, json: JsonObject): Blueprint {
  const current = respelled(json, { _sliding_window_pattern: "sliding_window_pattern" });
  const config = readConfig("gemma3", current, fields, ignored);
  const { num_hidden_layers: layers, attention_bias: bias, head_dim: headDim, layer_types: listed } = config;
  const isSliding = (layer: number): boolean =>
    listed ? listed[layer] === "sliding_attention" : (layer + 1) % config.sliding_window_pattern !== 0;
  const far = { ...config, rope_parameters: partOf(config.rope_parameters, "full_attention") };
  const near = {
    ...config,
    rope_theta: config.rope_local_base_freq,
    rope_scaling: null,
    rope_parameters: partOf(config.rope_parameters, "sliding_attention"),
  };
  const [global, local] = [far, near].map((part) => rotaryOf("gemma3", part, headDim));
  const norm = rms(config.rms_norm_eps, "plus one");
  const traits = {
    activation: config.hidden_activation,
    queryKeyValueBias: bias,
    outputBias: bias,
    norms: "around" as const,
    norm,
    headNorms: eachHead(norm),
    window: windowsOf("gemma3", layers, listed, config.sliding_window, isSliding),
    rotary: (layer: number) => (isSliding(layer) ? local : global),
    scale: 1 / Math.sqrt(config.query_pre_attn_scalar),
    logitCap: config.final_logit_softcapping ?? undefined,
    embedScale: Math.sqrt(config.hidden_size),
  };
  return causalBlueprint(gatedDecoder("gemma3", architecture, config, traits));
}

/**
 * Gemma 3, text only: five layers with a window to one without, each kind with rotary positions of its own, norms of
 * queries and keys.
 *
 * Source   arXiv:2503.19786 §2
 */
export const gemma3: Family = { name: "gemma3", architectures: ["Gemma3TextModel", "Gemma3ForCausalLM"], open };
