import { UnsupportedError } from "../../tensor/index.js";
import { causalBlueprint } from "../causalModel.js";
import { amount, count, maybe, readConfig } from "../config.js";
import { mixture } from "../experts.js";
import type { Blueprint, Family } from "../family.js";
import { gatedDecoder, gatedFields, gatedIgnored, hiddenAct } from "../gatedDecoder.js";
import type { JsonObject } from "../json.js";

/** Defaults as in transformers' MixtralConfig. */
const fields = {
  ...gatedFields,
  hidden_act: hiddenAct,
  intermediate_size: count(14336),
  num_key_value_heads: maybe(count(), 8),
  max_position_embeddings: count(131072),
  rms_norm_eps: amount(1e-5),
  rope_theta: amount(1e6),
  sliding_window: maybe(count()),
  num_local_experts: count(8),
  num_experts_per_tok: count(2),
};

/** Only training reads them. */
const ignored = [...gatedIgnored, "output_router_logits", "router_aux_loss_coef", "router_jitter_noise"];

function open(architecture: string, json: JsonObject): Blueprint {
  const config = readConfig("mixtral", json, fields, ignored);
  const { num_local_experts: experts, num_experts_per_tok: perToken } = config;
  if (perToken > experts) {
    throw new UnsupportedError(
      `mixtral: num_experts_per_tok must be at most num_local_experts, got ${perToken} and ${experts}`,
    );
  }
  const traits = {
    activation: config.hidden_act,
    window: (): number | undefined => config.sliding_window ?? undefined,
    mlp: mixture({
      count: experts,
      perToken,
      width: config.intermediate_size,
      activation: config.hidden_act,
      name: "block_sparse_moe",
      weights: ["w1", "w3", "w2"],
    }),
  };
  return causalBlueprint(gatedDecoder("mixtral", architecture, config, traits));
}

/**
 * Mixtral: Mistral's blocks with several MLPs, of which a router picks two for each token.
 *
 * Source   arXiv:2401.04088 §2
 */
export const mixtral: Family = { name: "mixtral", architectures: ["MixtralModel", "MixtralForCausalLM"], open };
