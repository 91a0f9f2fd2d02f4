import type { Value } from "../../graph/index.js";
import { build } from "../../graph/index.js";
import { UnsupportedError } from "../../tensor/index.js";
import { alibiSlopes, roundedAlibiBias } from "../alibi.js";
import { causalBlueprint } from "../causalModel.js";
import { amount, choice, count, flag, maybe, only, readConfig, respelled, tokenId, tokenIds } from "../config.js";
import type { Blueprint, Family, TensorSpec } from "../family.js";
import type { JsonObject } from "../json.js";
import { activations, layerNorm, linear, splitGroups } from "../layers.js";
import { mlp } from "../mlp.js";
import { linearSpecs, normSpecs } from "../postNormEncoder.js";
import { rotaryFields, rotaryOf, rotaryRegime } from "../rotary.js";

/** Defaults as in transformers' FalconConfig. */
const fields = {
  vocab_size: count(65024),
  hidden_size: count(4544),
  num_hidden_layers: count(32),
  num_attention_heads: count(71),
  num_kv_heads: maybe(count()),
  num_ln_in_parallel_attn: maybe(only(2, 1)),
  layer_norm_epsilon: amount(1e-5),
  alibi: flag(false),
  new_decoder_architecture: flag(false),
  multi_query: flag(true),
  parallel_attn: flag(true),
  bias: flag(false),
  ffn_hidden_size: maybe(count()),
  activation: choice(Object.keys(activations), "gelu"),
  max_position_embeddings: count(2048),
  tie_word_embeddings: flag(true),
  pad_token_id: tokenId(null),
  eos_token_id: { ...tokenIds, fallback: [11] },
  apply_residual_connection_post_layernorm: only(false),
  pruned_heads: only({}),
  ...rotaryFields,
};

/** `ff_factor` repeats what `ffn_hidden_size` says, or its default. */
const ignored = ["attention_dropout", "auto_map", "bos_token_id", "ff_factor", "hidden_dropout"];

/** Which norms a block has: one for each of two sublayers in turn, one that both read, or one for each side by side. */
function normsOf(config: {
  readonly new_decoder_architecture: boolean;
  readonly parallel_attn: boolean;
  readonly num_ln_in_parallel_attn: number | null;
}): { readonly attention: string; readonly mlp: string | undefined; readonly parallel: boolean } {
  const { new_decoder_architecture: isNew, parallel_attn: parallel, num_ln_in_parallel_attn: norms } = config;
  if (isNew ? !parallel : norms === 2) {
    throw new UnsupportedError(
      `falcon: new_decoder_architecture = ${isNew} with parallel_attn = ${parallel} and num_ln_in_parallel_attn = ${norms} is not handled`,
    );
  }
  if (isNew && norms !== 1) return { attention: "ln_attn", mlp: "ln_mlp", parallel };
  return { attention: "input_layernorm", mlp: parallel ? undefined : "post_attention_layernorm", parallel };
}

function open(architecture: string, json: JsonObject): Blueprint {
  const config = readConfig("falcon", respelled(json, { n_embed: "hidden_size" }), fields, ignored);
  const { hidden_size: width, num_attention_heads: heads, num_hidden_layers: layers, bias } = config;
  const { layer_norm_epsilon: epsilon, max_position_embeddings: positions } = config;
  const given = config.num_kv_heads ?? heads;
  const groups = config.new_decoder_architecture ? given : config.multi_query ? 1 : heads;
  if (width % heads !== 0 || heads % groups !== 0 || (!config.multi_query && given !== groups)) {
    throw new UnsupportedError(
      `falcon: hidden_size, num_attention_heads and num_kv_heads must divide each other, got ${width}, ${heads} and ${given}`,
    );
  }
  const headDim = width / heads;
  const mlpWidth = config.ffn_hidden_size ?? 4 * width;
  const norms = normsOf(config);
  const rotary = config.alibi ? undefined : rotaryOf("falcon", config, headDim);
  const slopes = alibiSlopes(heads);
  const specs = (name: string, outputs: number, inputs: number): readonly TensorSpec[] =>
    linearSpecs(name, outputs, inputs).slice(0, bias ? 2 : 1);
  return causalBlueprint({
    family: "falcon",
    architecture,
    layers,
    heads,
    kvHeads: groups,
    headDim,
    width,
    vocabulary: config.vocab_size,
    positions: Math.max(positions, rotary?.reach ?? 0),
    padId: config.pad_token_id,
    endIds: config.eos_token_id,
    withHead: architecture === "FalconForCausalLM",
    tied: config.tie_word_embeddings,
    names: { embed: "word_embeddings", head: "lm_head" },
    prefix: /^transformer\./,
    buffers: /\.rotary_emb\.inv_freq$|\.maybe_rotary\.inv_freq$/,
    tensors: [
      ...Array.from({ length: layers }, (_, layer) => `h.${layer}.`).flatMap((prefix) => [
        ...normSpecs(prefix + norms.attention, width),
        ...(norms.mlp === undefined ? [] : normSpecs(prefix + norms.mlp, width)),
        ...specs(`${prefix}self_attention.query_key_value`, (heads + 2 * groups) * headDim, width),
        ...specs(`${prefix}self_attention.dense`, width, width),
        ...specs(`${prefix}mlp.dense_h_to_4h`, mlpWidth, width),
        ...specs(`${prefix}mlp.dense_4h_to_h`, width, mlpWidth),
      ]),
      ...normSpecs("ln_f", width),
    ],
    embedded: ({ tap }, rows) => tap("embed", rows),
    byKeys: config.alibi,
    regime: rotary && ((length) => String(rotaryRegime(rotary, length))),
    block: (context, layer) => {
      const prefix = `h.${layer}.`;
      const scale = 1 / Math.sqrt(headDim);
      const norm =
        (name: string) =>
        (x: Value): Value =>
          layerNorm(context, prefix + name, x, epsilon);
      return {
        attentionNorm: norm(norms.attention),
        project: (x) => splitGroups(linear(context, `${prefix}self_attention.query_key_value`, x), heads, groups),
        rotary,
        scale,
        // The sum of score and bias is scaled.
        keyBias: config.alibi
          ? build.mul(roundedAlibiBias(slopes, positions, context.input("key_positions")), scale)
          : undefined,
        output: (x) => linear(context, `${prefix}self_attention.dense`, x),
        mlpNorm: norms.mlp === undefined ? undefined : norm(norms.mlp),
        mlp: (x, tap) =>
          mlp(
            tap,
            config.activation,
            (y) => linear(context, `${prefix}mlp.dense_h_to_4h`, y),
            (y) => linear(context, `${prefix}mlp.dense_4h_to_h`, y),
            x,
          ),
        parallel: norms.parallel,
      };
    },
    finalNorm: (context, x) => layerNorm(context, "ln_f", x, epsilon),
  });
}

/**
 * Falcon: one key and value for all queries (7B) or for groups of them (40B, 180B) beside the MLP, rotary positions; the
 * RW models have ALiBi, a key for each query, and one sublayer after the other.
 *
 * Source   arXiv:2311.16867 §3; arXiv:2306.01116
 */
export const falcon: Family = { name: "falcon", architectures: ["FalconModel", "FalconForCausalLM"], open };
