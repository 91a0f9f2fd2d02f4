import { build } from "../../graph/index.js";
import type { Value } from "../../graph/index.js";
import { UnsupportedError } from "../../tensor/index.js";
import { causalBlueprint } from "../causalModel.js";
import { amount, choice, count, flag, only, readConfig, tokenId, tokenIds } from "../config.js";
import type { Blueprint, Family, TensorSpec } from "../family.js";
import type { JsonObject } from "../json.js";
import { activations, layerNorm, linear } from "../layers.js";
import { mlp } from "../mlp.js";
import { linearSpecs, normSpecs } from "../postNormEncoder.js";
import { rotaryFields, rotaryOf } from "../rotary.js";

/** Defaults as in transformers' GPTNeoXConfig. */
const fields = {
  vocab_size: count(50432),
  hidden_size: count(6144),
  num_hidden_layers: count(44),
  num_attention_heads: count(64),
  intermediate_size: count(24576),
  hidden_act: choice(Object.keys(activations), "gelu"),
  rotary_pct: amount(0.25),
  rotary_emb_base: amount(10000),
  max_position_embeddings: count(2048),
  layer_norm_eps: amount(1e-5),
  tie_word_embeddings: flag(false),
  use_parallel_residual: flag(true),
  attention_bias: flag(true),
  pad_token_id: tokenId(null),
  eos_token_id: { ...tokenIds, fallback: [2] },
  is_decoder: flag(false),
  pruned_heads: only({}),
  rope_scaling: rotaryFields.rope_scaling,
  rope_parameters: rotaryFields.rope_parameters,
};

const ignored = ["attention_dropout", "bos_token_id", "classifier_dropout", "hidden_dropout"];

/** A linear layer's weights, with or without bias. */
function projectionSpecs(name: string, outputs: number, inputs: number, bias: boolean): TensorSpec[] {
  return linearSpecs(name, outputs, inputs).slice(0, bias ? 2 : 1);
}

function open(architecture: string, json: JsonObject): Blueprint {
  const config = readConfig("gptNeoX", json, fields, ignored);
  const { hidden_size: width, num_attention_heads: heads, num_hidden_layers: layers } = config;
  const { intermediate_size: mlpWidth, layer_norm_eps: epsilon, attention_bias: bias } = config;
  if (width % heads !== 0) {
    throw new UnsupportedError(
      `gptNeoX: hidden_size must be a multiple of num_attention_heads, got ${width} and ${heads}`,
    );
  }
  const headDim = width / heads;
  const rotary = rotaryOf("gptNeoX", { ...config, rope_theta: config.rotary_emb_base }, headDim, config.rotary_pct);
  return causalBlueprint({
    family: "gptNeoX",
    architecture,
    layers,
    heads,
    headDim,
    width,
    vocabulary: config.vocab_size,
    positions: config.max_position_embeddings,
    padId: config.pad_token_id,
    endIds: config.eos_token_id,
    withHead: architecture === "GPTNeoXForCausalLM",
    tied: config.tie_word_embeddings,
    names: { embed: "embed_in", head: "embed_out" },
    prefix: /^gpt_neox\./,
    buffers: /\.attention\.(bias|masked_bias|rotary_emb\.inv_freq)$/,
    tensors: [
      ...Array.from({ length: layers }, (_, layer) => `layers.${layer}.`).flatMap((prefix) => [
        ...normSpecs(`${prefix}input_layernorm`, width),
        ...projectionSpecs(`${prefix}attention.query_key_value`, 3 * width, width, bias),
        ...projectionSpecs(`${prefix}attention.dense`, width, width, bias),
        ...normSpecs(`${prefix}post_attention_layernorm`, width),
        ...linearSpecs(`${prefix}mlp.dense_h_to_4h`, mlpWidth, width),
        ...linearSpecs(`${prefix}mlp.dense_4h_to_h`, width, mlpWidth),
      ]),
      ...normSpecs("final_layer_norm", width),
    ],
    embedded: ({ tap }, rows) => tap("embed", rows),
    block: (context, layer) => {
      const prefix = `layers.${layer}.`;
      return {
        attentionNorm: (x) => layerNorm(context, `${prefix}input_layernorm`, x, epsilon),
        project: (x) => {
          // Rows lie head by head: query, key and value of one head, then of the next.
          const all = linear(context, `${prefix}attention.query_key_value`, x);
          const [batch, length] = all.shape;
          const byHead = build.transpose(build.reshape(all, [batch, length, heads, 3 * headDim]), [0, 2, 1, 3]);
          const part = (i: number): Value => build.slice(byHead, 3, i * headDim, (i + 1) * headDim);
          return [part(0), part(1), part(2)];
        },
        rotary,
        scale: 1 / Math.sqrt(headDim),
        output: (x) => linear(context, `${prefix}attention.dense`, x),
        mlpNorm: (x) => layerNorm(context, `${prefix}post_attention_layernorm`, x, epsilon),
        mlp: (x, tap) =>
          mlp(
            tap,
            config.hidden_act,
            (y) => linear(context, `${prefix}mlp.dense_h_to_4h`, y),
            (y) => linear(context, `${prefix}mlp.dense_4h_to_h`, y),
            x,
          ),
        parallel: config.use_parallel_residual,
      };
    },
    finalNorm: (context, x) => layerNorm(context, "final_layer_norm", x, epsilon),
  });
}

/**
 * GPT-NeoX and Pythia: attention and MLP side by side, rotary positions on a share of each head.
 *
 * Source   arXiv:2204.06745 §2.1, arXiv:2304.01373
 */
export const gptNeoX: Family = { name: "gptNeoX", architectures: ["GPTNeoXModel", "GPTNeoXForCausalLM"], open };
