import type { Value } from "../graph/index.js";
import { build } from "../graph/index.js";
import { UnsupportedError } from "../tensor/index.js";
import type { CausalModel } from "./causalModel.js";
import type { FieldsOf } from "./config.js";
import { amount, choice, count, flag, maybe, only, tokenId, tokenIds } from "./config.js";
import type { GraphContext, TensorSpec } from "./family.js";
import type { RmsWeight } from "./layers.js";
import { activations, linear, rmsNorm, splitHeads } from "./layers.js";
import { gatedMlp } from "./mlp.js";
import type { Rotary, RotaryConfig } from "./rotary.js";
import { rotaryFields, rotaryOf } from "./rotary.js";

/** Attributes that all configs of Llama and of what grew from it share. */
export interface GatedConfig extends RotaryConfig {
  readonly vocab_size: number;
  readonly hidden_size: number;
  readonly intermediate_size: number;
  readonly num_hidden_layers: number;
  readonly num_attention_heads: number;
  readonly num_key_value_heads: number | null;
  readonly head_dim: number | null;
  readonly max_position_embeddings: number;
  readonly rms_norm_eps: number;
  readonly tie_word_embeddings: boolean;
  readonly pad_token_id: number | null;
  readonly eos_token_id: readonly number[];
  readonly pruned_heads: object;
  readonly is_decoder: boolean;
}

/** With the defaults of transformers' LlamaConfig. */
export const gatedFields: FieldsOf<GatedConfig> = {
  vocab_size: count(32000),
  hidden_size: count(4096),
  intermediate_size: count(11008),
  num_hidden_layers: count(32),
  num_attention_heads: count(32),
  num_key_value_heads: maybe(count()),
  head_dim: maybe(count()),
  max_position_embeddings: count(2048),
  rms_norm_eps: amount(1e-6),
  tie_word_embeddings: flag(false),
  pad_token_id: tokenId(null),
  eos_token_id: { ...tokenIds, fallback: [2] },
  pruned_heads: only({}),
  is_decoder: flag(false),
  ...rotaryFields,
};

/** Activations of gated MLPs by the names that configs use. */
export const gateActivations: readonly string[] = Object.keys(activations);

export const hiddenAct: FieldsOf<{ hidden_act: string }>["hidden_act"] = choice(gateActivations, "silu");

/** Attributes that only training and generation read. */
export const gatedIgnored: readonly string[] = ["attention_dropout", "auto_map", "bos_token_id", "pretraining_tp"];

/** Where a model differs from Llama. */
export interface GatedTraits {
  readonly activation: string;
  readonly queryKeyValueBias?: boolean;
  readonly outputBias?: boolean;
  readonly mlpBias?: boolean;
  /** Norms of queries and keys over each head. */
  readonly headNorms?: boolean;
  /** Norms of what attention and MLP write, besides those of what they read. */
  readonly postNorms?: boolean;
  /** Queries, keys and values in one weight, gate and up in another. */
  readonly fused?: boolean;
  readonly rmsWeight?: RmsWeight;
  /** Keys that a query of this layer sees; all when undefined. */
  readonly window?: (layer: number) => number | undefined;
  /** What q·k is multiplied by; 1/√D when left out. */
  readonly scale?: number;
  readonly softcap?: number | undefined;
  readonly logitCap?: number | undefined;
  readonly embedScale?: number;
  /** Share of each head that is rotated; 1 when left out. */
  readonly rotaryShare?: number;
  /** Heads of keys and values where the config says nothing; as many as of queries when left out. */
  readonly kvHeads?: number;
}

interface Sizes {
  readonly width: number;
  readonly mlpWidth: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
}

function sizesOf(family: string, config: GatedConfig, { kvHeads: fallback }: GatedTraits): Sizes {
  const { hidden_size: width, num_attention_heads: heads, intermediate_size: mlpWidth } = config;
  const kvHeads = config.num_key_value_heads ?? fallback ?? heads;
  const headDim = config.head_dim ?? width / heads;
  if (!Number.isInteger(headDim)) {
    throw new UnsupportedError(
      `${family}: hidden_size must be a multiple of num_attention_heads without head_dim, got ${width} and ${heads}`,
    );
  }
  if (heads % kvHeads !== 0) {
    throw new UnsupportedError(
      `${family}: num_attention_heads must be a multiple of num_key_value_heads, got ${heads} and ${kvHeads}`,
    );
  }
  return { width, mlpWidth, heads, kvHeads, headDim };
}

function blockSpecs(prefix: string, sizes: Sizes, traits: GatedTraits): TensorSpec[] {
  const { width, mlpWidth, heads, kvHeads, headDim } = sizes;
  const [queries, keys] = [heads * headDim, kvHeads * headDim];
  const weights = (name: string, outputs: number, inputs: number, bias = false): TensorSpec[] => [
    { name: `${prefix}${name}.weight`, shape: [outputs, inputs] },
    ...(bias ? [{ name: `${prefix}${name}.bias`, shape: [outputs] }] : []),
  ];
  const norm = (name: string, size = width): TensorSpec => ({ name: `${prefix}${name}.weight`, shape: [size] });
  const { queryKeyValueBias, outputBias, mlpBias, headNorms, postNorms, fused } = traits;
  return [
    ...(fused
      ? weights("self_attn.qkv_proj", queries + 2 * keys, width)
      : [
          ...weights("self_attn.q_proj", queries, width, queryKeyValueBias),
          ...weights("self_attn.k_proj", keys, width, queryKeyValueBias),
          ...weights("self_attn.v_proj", keys, width, queryKeyValueBias),
        ]),
    ...weights("self_attn.o_proj", width, queries, outputBias),
    ...(fused
      ? weights("mlp.gate_up_proj", 2 * mlpWidth, width)
      : [...weights("mlp.gate_proj", mlpWidth, width, mlpBias), ...weights("mlp.up_proj", mlpWidth, width, mlpBias)]),
    ...weights("mlp.down_proj", width, mlpWidth, mlpBias),
    norm("input_layernorm"),
    norm("post_attention_layernorm"),
    ...(headNorms ? [norm("self_attn.q_norm", headDim), norm("self_attn.k_norm", headDim)] : []),
    ...(postNorms ? [norm("pre_feedforward_layernorm"), norm("post_feedforward_layernorm")] : []),
  ];
}

/** Parts of the last axis, one after the other. */
function cut(x: Value, ...widths: readonly number[]): Value[] {
  let start = 0;
  return widths.map((width) => build.slice(x, x.shape.length - 1, start, (start += width)));
}

function blockOf(
  context: GraphContext,
  prefix: string,
  sizes: Sizes,
  traits: GatedTraits,
  epsilon: number,
  rotary: Rotary,
  window: number | undefined,
): ReturnType<CausalModel["block"]> {
  const { heads, kvHeads, headDim, mlpWidth } = sizes;
  const { activation, fused, headNorms, postNorms, rmsWeight = "plain" } = traits;
  const layer =
    (name: string) =>
    (x: Value): Value =>
      linear(context, prefix + name, x);
  const norm =
    (name: string) =>
    (x: Value): Value =>
      rmsNorm(context, prefix + name, x, epsilon, rmsWeight);
  return {
    attentionNorm: norm("input_layernorm"),
    project: (x) => {
      const [q, k, v] = fused
        ? cut(layer("self_attn.qkv_proj")(x), heads * headDim, kvHeads * headDim, kvHeads * headDim)
        : ["q", "k", "v"].map((part) => layer(`self_attn.${part}_proj`)(x));
      return [splitHeads(q, heads), splitHeads(k, kvHeads), splitHeads(v, kvHeads)];
    },
    headNorms: headNorms ? [norm("self_attn.q_norm"), norm("self_attn.k_norm")] : undefined,
    rotary,
    scale: traits.scale ?? 1 / Math.sqrt(headDim),
    softcap: traits.softcap,
    window,
    output: layer("self_attn.o_proj"),
    attentionPostNorm: postNorms ? norm("post_attention_layernorm") : undefined,
    mlpNorm: norm(postNorms ? "pre_feedforward_layernorm" : "post_attention_layernorm"),
    mlp: (x, tap) => {
      const [gate, up] = fused
        ? cut(layer("mlp.gate_up_proj")(x), mlpWidth, mlpWidth)
        : [layer("mlp.gate_proj")(x), layer("mlp.up_proj")(x)];
      return gatedMlp(tap, activation, [gate, up], layer("mlp.down_proj"));
    },
    mlpPostNorm: postNorms ? norm("post_feedforward_layernorm") : undefined,
  };
}

/**
 * A decoder with root-mean-square norms, rotary positions and a gated MLP, in Llama's names.
 *
 * Throws   UnsupportedError on sizes that do not fit, or rotary positions that are not followed exactly
 * Source   arXiv:2302.13971 §2.2
 */
export function gatedDecoder(
  family: string,
  architecture: string,
  config: GatedConfig,
  traits: GatedTraits,
): CausalModel {
  const sizes = sizesOf(family, config, traits);
  const { width, heads, kvHeads, headDim } = sizes;
  const { rms_norm_eps: epsilon, num_hidden_layers: layers } = config;
  const { embedScale, rmsWeight = "plain", window = () => undefined } = traits;
  const rotary = rotaryOf(family, config, headDim, traits.rotaryShare);
  const block = (layer: number): string => `layers.${layer}.`;
  return {
    family,
    architecture,
    layers,
    heads,
    kvHeads,
    headDim,
    width,
    vocabulary: config.vocab_size,
    positions: config.max_position_embeddings,
    padId: config.pad_token_id,
    endIds: config.eos_token_id,
    withHead: architecture.endsWith("ForCausalLM"),
    tied: config.tie_word_embeddings,
    names: { embed: "embed_tokens", head: "lm_head" },
    prefix: /^model\./,
    buffers: /\.rotary_emb\.inv_freq$/,
    tensors: [
      ...Array.from({ length: layers }, (_, layer) => blockSpecs(block(layer), sizes, traits)).flat(),
      { name: "norm.weight", shape: [width] },
    ],
    embedded: ({ tap }, rows) => tap("embed", embedScale === undefined ? rows : build.mul(rows, embedScale)),
    block: (context, layer) => blockOf(context, block(layer), sizes, traits, epsilon, rotary, window(layer)),
    finalNorm: (context, x) => rmsNorm(context, "norm", x, epsilon, rmsWeight),
    logitCap: traits.logitCap,
  };
}
