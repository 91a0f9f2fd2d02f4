import { causalBlueprint } from "../causalModel.js";
import { amount, count, maybe, only, readConfig, tokenId } from "../config.js";
import type { Blueprint, Family } from "../family.js";
import { gatedDecoder, gatedFields, gatedIgnored, hiddenAct } from "../gatedDecoder.js";
import type { JsonObject } from "../json.js";

/** Defaults as in transformers' Phi3Config. */
const fields = {
  ...gatedFields,
  hidden_act: hiddenAct,
  vocab_size: count(32064),
  hidden_size: count(3072),
  intermediate_size: count(8192),
  max_position_embeddings: count(4096),
  original_max_position_embeddings: count(4096),
  rms_norm_eps: amount(1e-5),
  pad_token_id: tokenId(32000),
  eos_token_id: { ...gatedFields.eos_token_id, fallback: [32000] },
  sliding_window: maybe(count()),
  partial_rotary_factor: amount(1),
  attention_bias: only(false),
};

const ignored = [...gatedIgnored, "embd_pdrop", "resid_pdrop"];

/** Older names of the only scaling that Phi-3 has. */
function currentScaling(scaling: JsonObject | null): JsonObject | null {
  const kind = scaling?.["rope_type"] ?? scaling?.["type"];
  return kind === "su" || kind === "yarn" ? { ...scaling, rope_type: "longrope" } : scaling;
}

function open(architecture: string, json: JsonObject): Blueprint {
  const read = readConfig("phi3", json, fields, ignored);
  const config = { ...read, rope_scaling: currentScaling(read.rope_scaling) };
  const traits = {
    activation: config.hidden_act,
    fused: true,
    rotaryShare: config.partial_rotary_factor,
    window: (): number | undefined => config.sliding_window ?? undefined,
  };
  return causalBlueprint(gatedDecoder("phi3", architecture, config, traits));
}

/**
 * Phi-3: Llama's blocks with fused weights, rotary positions on a share of each head, and a sliding window.
 *
 * Source   arXiv:2404.14219
 */
export const phi3: Family = { name: "phi3", architectures: ["Phi3Model", "Phi3ForCausalLM"], open };
