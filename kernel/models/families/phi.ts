import { UnsupportedError } from "../../tensor/index.js";
import { causalBlueprint } from "../causalModel.js";
import { amount, choice, count, flag, maybe, only, readConfig, tokenId, tokenIds } from "../config.js";
import type { Blueprint, Family } from "../family.js";
import { eachHead } from "../headNorms.js";
import type { JsonObject } from "../json.js";
import { activations, layerNorm, linear, splitHeads } from "../layers.js";
import { mlp } from "../mlp.js";
import { layer as layerNormKind } from "../norms.js";
import { linearSpecs, normSpecs } from "../postNormEncoder.js";
import { rotaryFields, rotaryOf, rotaryRegime } from "../rotary.js";

/** Defaults as in transformers' PhiConfig. */
const fields = {
  vocab_size: count(51200),
  hidden_size: count(2048),
  intermediate_size: count(8192),
  num_hidden_layers: count(24),
  num_attention_heads: count(32),
  num_key_value_heads: maybe(count()),
  hidden_act: choice(Object.keys(activations), "gelu_new"),
  max_position_embeddings: count(2048),
  layer_norm_eps: amount(1e-5),
  partial_rotary_factor: amount(0.5),
  qk_layernorm: flag(false),
  tie_word_embeddings: flag(false),
  pad_token_id: tokenId(null),
  eos_token_id: { ...tokenIds, fallback: [2] },
  is_decoder: flag(false),
  pruned_heads: only({}),
  ...rotaryFields,
};

const ignored = ["attention_dropout", "auto_map", "bos_token_id", "embd_pdrop", "resid_pdrop"];

function open(architecture: string, json: JsonObject): Blueprint {
  const config = readConfig("phi", json, fields, ignored);
  const { hidden_size: width, num_attention_heads: heads, num_hidden_layers: layers, layer_norm_eps: epsilon } = config;
  const { intermediate_size: mlpWidth } = config;
  const kvHeads = config.num_key_value_heads ?? heads;
  if (width % heads !== 0 || heads % kvHeads !== 0) {
    throw new UnsupportedError(
      `phi: hidden_size, num_attention_heads and num_key_value_heads must divide each other, got ${width}, ${heads} and ${kvHeads}`,
    );
  }
  const headDim = width / heads;
  const sizes = { heads, kvHeads, headDim };
  const rotary = rotaryOf("phi", config, headDim, config.partial_rotary_factor);
  const headNorms = config.qk_layernorm ? eachHead(layerNormKind(epsilon), ["q_layernorm", "k_layernorm"]) : undefined;
  const withHead = architecture === "PhiForCausalLM";
  return causalBlueprint({
    family: "phi",
    architecture,
    layers,
    ...sizes,
    width,
    vocabulary: config.vocab_size,
    positions: Math.max(config.max_position_embeddings, rotary.reach ?? 0),
    padId: config.pad_token_id,
    endIds: config.eos_token_id,
    withHead,
    headBias: true,
    tied: config.tie_word_embeddings,
    names: { embed: "embed_tokens", head: "lm_head" },
    prefix: /^model\./,
    buffers: /\.rotary_emb\.inv_freq$/,
    tensors: [
      ...Array.from({ length: layers }, (_, layer) => `layers.${layer}.`).flatMap((prefix) => [
        ...normSpecs(`${prefix}input_layernorm`, width),
        ...linearSpecs(`${prefix}self_attn.q_proj`, width, width),
        ...["k", "v"].flatMap((part) => linearSpecs(`${prefix}self_attn.${part}_proj`, kvHeads * headDim, width)),
        ...linearSpecs(`${prefix}self_attn.dense`, width, width),
        ...(headNorms?.specs(`${prefix}self_attn.`, sizes) ?? []),
        ...linearSpecs(`${prefix}mlp.fc1`, mlpWidth, width),
        ...linearSpecs(`${prefix}mlp.fc2`, width, mlpWidth),
      ]),
      ...normSpecs("final_layernorm", width),
    ],
    embedded: ({ tap }, rows) => tap("embed", rows),
    regime: (length) => String(rotaryRegime(rotary, length)),
    block: (context, layer) => {
      const prefix = `layers.${layer}.`;
      return {
        attentionNorm: (x) => layerNorm(context, `${prefix}input_layernorm`, x, epsilon),
        project: (x) => {
          const [q, k, v] = ["q", "k", "v"].map((part, i) =>
            splitHeads(linear(context, `${prefix}self_attn.${part}_proj`, x), i === 0 ? heads : kvHeads),
          );
          return [q, k, v];
        },
        headNorms: headNorms?.build(context, `${prefix}self_attn.`, sizes),
        rotary,
        scale: 1 / Math.sqrt(headDim),
        output: (x) => linear(context, `${prefix}self_attn.dense`, x),
        mlp: (x, tap) =>
          mlp(
            tap,
            config.hidden_act,
            (y) => linear(context, `${prefix}mlp.fc1`, y),
            (y) => linear(context, `${prefix}mlp.fc2`, y),
            x,
          ),
        parallel: true,
      };
    },
    finalNorm: (context, x) => layerNorm(context, "final_layernorm", x, epsilon),
  });
}

/**
 * Phi-1, 1.5 and 2: attention and MLP side by side on one norm, rotary positions on a share of each head.
 *
 * Source   arXiv:2306.11644 §2.3
 */
export const phi: Family = { name: "phi", architectures: ["PhiModel", "PhiForCausalLM"], open };
