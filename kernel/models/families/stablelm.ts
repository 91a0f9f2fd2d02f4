import type { Value } from "../../graph/index.js";
import { build } from "../../graph/index.js";
import { causalBlueprint } from "../causalModel.js";
import { amount, count, flag, maybe, readConfig } from "../config.js";
import type { Blueprint, Family } from "../family.js";
import { decoderFields, gatedDecoder, gatedIgnored, hiddenAct } from "../gatedDecoder.js";
import type { HeadNorms } from "../headNorms.js";
import type { JsonObject } from "../json.js";
import { layer, standardized } from "../norms.js";

/** Defaults as in transformers' StableLmConfig. */
const fields = {
  ...decoderFields,
  hidden_act: hiddenAct,
  vocab_size: count(50304),
  hidden_size: count(2560),
  intermediate_size: count(6912),
  num_key_value_heads: maybe(count(), 32),
  max_position_embeddings: count(4096),
  layer_norm_eps: amount(1e-5),
  eos_token_id: { ...decoderFields.eos_token_id, fallback: [0] },
  partial_rotary_factor: amount(0.25),
  use_qkv_bias: flag(false),
  qk_layernorm: flag(false),
  use_parallel_residual: flag(false),
};

const ignored = [...gatedIgnored, "hidden_dropout", "rope_pct", "rotary_scaling_factor"];

/** A layer norm of each head with a weight of its own and no bias. */
function ownNorms(epsilon: number): HeadNorms {
  const names = (prefix: string, heads: number): readonly string[] =>
    Array.from({ length: heads }, (_, head) => `${prefix}.norms.${head}.weight`);
  return {
    specs: (prefix, { heads, kvHeads, headDim }) =>
      [...names(`${prefix}q_layernorm`, heads), ...names(`${prefix}k_layernorm`, kvHeads)].map((name) => ({
        name,
        shape: [headDim],
      })),
    build: ({ weight }, prefix, { heads, kvHeads }) => {
      const over =
        (name: string, count: number) =>
        (x: Value): Value => {
          const rows = names(prefix + name, count).map((own) => build.unsqueeze(weight(own), [0, 1]));
          return build.mul(standardized(x, epsilon), build.concat(rows, 0)); // · [H,1,D]
        };
      return [over("q_layernorm", heads), over("k_layernorm", kvHeads)];
    },
  };
}

function open(architecture: string, json: JsonObject): Blueprint {
  const config = readConfig("stablelm", json, fields, ignored);
  const { layer_norm_eps: epsilon } = config;
  const traits = {
    activation: config.hidden_act,
    queryKeyValueBias: config.use_qkv_bias,
    norm: layer(epsilon),
    norms: config.use_parallel_residual ? ("shared" as const) : ("before" as const),
    headNorms: config.qk_layernorm ? ownNorms(epsilon) : undefined,
    rotaryShare: config.partial_rotary_factor,
  };
  return causalBlueprint(gatedDecoder("stablelm", architecture, config, traits));
}

/**
 * StableLM: Llama's blocks with layer norms and rotary positions on a share of each head; the 12B model has norms of
 * queries and keys, and attention beside the MLP.
 *
 * Source   arXiv:2402.17834
 */
export const stablelm: Family = { name: "stablelm", architectures: ["StableLmModel", "StableLmForCausalLM"], open };
