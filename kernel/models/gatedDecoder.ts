import type { Value } from "../graph/index.js";
import { build } from "../graph/index.js";
import { UnsupportedError } from "../tensor/index.js";
import type { CausalModel } from "./causalModel.js";
import type { FieldsOf } from "./config.js";
import { amount, choice, count, flag, maybe, only, tokenId, tokenIds } from "./config.js";
import type { GraphContext, TensorSpec } from "./family.js";
import type { HeadNorms, HeadSizes } from "./headNorms.js";
import { activations, linear, splitHeads } from "./layers.js";
import { gatedMlp } from "./mlp.js";
import type { NormKind } from "./norms.js";
import { rms } from "./norms.js";
import type { DecoderBlock } from "./preNormDecoder.js";
import type { Rotary, RotaryConfig } from "./rotary.js";
import { rotaryFields, rotaryOf, rotaryRegime } from "./rotary.js";

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
  readonly tie_word_embeddings: boolean;
  readonly pad_token_id: number | null;
  readonly eos_token_id: readonly number[];
  readonly pruned_heads: object;
  readonly is_decoder: boolean;
}

/** With the defaults of transformers' LlamaConfig. */
export const decoderFields: FieldsOf<GatedConfig> = {
  vocab_size: count(32000),
  hidden_size: count(4096),
  intermediate_size: count(11008),
  num_hidden_layers: count(32),
  num_attention_heads: count(32),
  num_key_value_heads: maybe(count()),
  head_dim: maybe(count()),
  max_position_embeddings: count(2048),
  tie_word_embeddings: flag(false),
  pad_token_id: tokenId(null),
  eos_token_id: { ...tokenIds, fallback: [2] },
  pruned_heads: only({}),
  is_decoder: flag(false),
  ...rotaryFields,
};

/** The same with the epsilon of a root-mean-square norm. */
export const gatedFields: FieldsOf<GatedConfig & { readonly rms_norm_eps: number }> = {
  ...decoderFields,
  rms_norm_eps: amount(1e-6),
};

/** Activations of gated MLPs by the names that configs use. */
export const gateActivations: readonly string[] = Object.keys(activations);

export const hiddenAct: FieldsOf<{ hidden_act: string }>["hidden_act"] = choice(gateActivations, "silu");

/** Attributes that only training and generation read. */
export const gatedIgnored: readonly string[] = ["attention_dropout", "auto_map", "bos_token_id", "pretraining_tp"];

/** What a position passes through after attention, in place of the gated MLP. */
export interface MlpPart {
  readonly specs: (prefix: string, width: number) => readonly TensorSpec[];
  readonly build: (context: GraphContext, prefix: string) => DecoderBlock["mlp"];
}

/** Where a model differs from Llama. */
export interface GatedTraits {
  /** Of the gated MLP. */
  readonly activation: string;
  readonly queryKeyValueBias?: boolean;
  readonly outputBias?: boolean;
  readonly mlpBias?: boolean;
  /** Norms of queries and keys before they are turned. */
  readonly headNorms?: HeadNorms | undefined;
  /**
   * Which norms a block has: of what attention and MLP read (`"before"`), of that and of what they write (`"around"`), of
   * what they write alone (`"after"`), or one that both read (`"shared"`), side by side. `"before"` when left out.
   */
  readonly norms?: "before" | "around" | "after" | "shared";
  /** Queries, keys and values in one weight, gate and up in another. */
  readonly fused?: boolean;
  /** Root mean square with `rms_norm_eps` when left out. */
  readonly norm?: NormKind;
  readonly mlp?: MlpPart;
  /** Keys that a query of this layer sees; all when undefined. */
  readonly window?: (layer: number) => number | undefined;
  /** What q·k is multiplied by; 1/√D when left out. */
  readonly scale?: number;
  readonly softcap?: number | undefined;
  readonly logitCap?: number | undefined;
  readonly embedScale?: number;
  /** Share of each head that is rotated; 1 when left out. */
  readonly rotaryShare?: number;
  /** Rotary positions of a layer, where they are not the config's. */
  readonly rotary?: (layer: number) => Rotary;
  /** Heads of keys and values where the config says nothing; as many as of queries when left out. */
  readonly kvHeads?: number;
}

interface Sizes extends HeadSizes {
  readonly width: number;
  readonly mlpWidth: number;
}

/** The names of a block's norms: before and after attention, before and after the MLP. */
const normNames = {
  before: ["input_layernorm", undefined, "post_attention_layernorm", undefined],
  around: ["input_layernorm", "post_attention_layernorm", "pre_feedforward_layernorm", "post_feedforward_layernorm"],
  after: [undefined, "post_attention_layernorm", undefined, "post_feedforward_layernorm"],
  shared: ["input_layernorm", undefined, undefined, undefined],
} as const;

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

function blockSpecs(prefix: string, sizes: Sizes, traits: GatedTraits, norm: NormKind): TensorSpec[] {
  const { width, mlpWidth, heads, kvHeads, headDim } = sizes;
  const [queries, keys] = [heads * headDim, kvHeads * headDim];
  const weights = (name: string, outputs: number, inputs: number, bias = false): TensorSpec[] => [
    { name: `${prefix}${name}.weight`, shape: [outputs, inputs] },
    ...(bias ? [{ name: `${prefix}${name}.bias`, shape: [outputs] }] : []),
  ];
  const { queryKeyValueBias, outputBias, mlpBias, headNorms, norms = "before", fused, mlp } = traits;
  const dense = fused
    ? weights("mlp.gate_up_proj", 2 * mlpWidth, width)
    : [...weights("mlp.gate_proj", mlpWidth, width, mlpBias), ...weights("mlp.up_proj", mlpWidth, width, mlpBias)];
  return [
    ...(fused
      ? weights("self_attn.qkv_proj", queries + 2 * keys, width)
      : [
          ...weights("self_attn.q_proj", queries, width, queryKeyValueBias),
          ...weights("self_attn.k_proj", keys, width, queryKeyValueBias),
          ...weights("self_attn.v_proj", keys, width, queryKeyValueBias),
        ]),
    ...weights("self_attn.o_proj", width, queries, outputBias),
    ...(mlp ? mlp.specs(prefix, width) : [...dense, ...weights("mlp.down_proj", width, mlpWidth, mlpBias)]),
    ...normNames[norms].flatMap((name) => (name === undefined ? [] : norm.specs(prefix + name, width))),
    ...(headNorms?.specs(`${prefix}self_attn.`, sizes) ?? []),
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
  norm: NormKind,
  rotary: Rotary,
  window: number | undefined,
): DecoderBlock {
  const { heads, kvHeads, headDim, mlpWidth } = sizes;
  const { activation, fused, headNorms, norms = "before" } = traits;
  const layer =
    (name: string) =>
    (x: Value): Value =>
      linear(context, prefix + name, x);
  const normOf = (name: string | undefined): ((x: Value) => Value) | undefined =>
    name === undefined ? undefined : (x) => norm.apply(context, prefix + name, x);
  const [attentionNorm, attentionPostNorm, mlpNorm, mlpPostNorm] = normNames[norms].map(normOf);
  const dense: DecoderBlock["mlp"] = (x, tap) => {
    const [gate, up] = fused
      ? cut(layer("mlp.gate_up_proj")(x), mlpWidth, mlpWidth)
      : [layer("mlp.gate_proj")(x), layer("mlp.up_proj")(x)];
    return gatedMlp(tap, activation, [gate, up], layer("mlp.down_proj"));
  };
  return {
    attentionNorm,
    project: (x) => {
      const [q, k, v] = fused
        ? cut(layer("self_attn.qkv_proj")(x), heads * headDim, kvHeads * headDim, kvHeads * headDim)
        : ["q", "k", "v"].map((part) => layer(`self_attn.${part}_proj`)(x));
      return [splitHeads(q, heads), splitHeads(k, kvHeads), splitHeads(v, kvHeads)];
    },
    headNorms: headNorms?.build(context, `${prefix}self_attn.`, sizes),
    rotary,
    scale: traits.scale ?? 1 / Math.sqrt(headDim),
    softcap: traits.softcap,
    window,
    output: layer("self_attn.o_proj"),
    attentionPostNorm,
    mlpNorm,
    mlp: traits.mlp?.build(context, prefix) ?? dense,
    mlpPostNorm,
    parallel: norms === "shared",
  };
}

/**
 * A decoder with root-mean-square norms, rotary positions and a gated MLP, in Llama's names; traits tell the differences.
 *
 * Throws   UnsupportedError on sizes that do not fit, or rotary positions that are not followed exactly
 * Source   arXiv:2302.13971 §2.2
 */
export function gatedDecoder(
  family: string,
  architecture: string,
  config: GatedConfig & { readonly rms_norm_eps?: number },
  traits: GatedTraits,
): CausalModel {
  const sizes = sizesOf(family, config, traits);
  const { width, heads, kvHeads, headDim } = sizes;
  const { num_hidden_layers: layers } = config;
  const { embedScale, norm = rms(config.rms_norm_eps ?? 0), window = () => undefined } = traits;
  const common = traits.rotary ? undefined : rotaryOf(family, config, headDim, traits.rotaryShare);
  const rotary = traits.rotary ?? ((): Rotary => common!);
  const rotaries = Array.from({ length: layers }, (_, layer) => rotary(layer));
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
    positions: Math.max(config.max_position_embeddings, ...rotaries.map(({ reach = 0 }) => reach)),
    padId: config.pad_token_id,
    endIds: config.eos_token_id,
    withHead: architecture.endsWith("ForCausalLM"),
    tied: config.tie_word_embeddings,
    names: { embed: "embed_tokens", head: "lm_head" },
    prefix: /^model\./,
    buffers: /\.rotary_emb\.inv_freq$/,
    tensors: [
      ...Array.from({ length: layers }, (_, layer) => blockSpecs(block(layer), sizes, traits, norm)).flat(),
      ...norm.specs("norm", width),
    ],
    embedded: ({ tap }, rows) => tap("embed", embedScale === undefined ? rows : build.mul(rows, embedScale)),
    regime: (length) => rotaries.map((one) => rotaryRegime(one, length)).join(),
    block: (context, layer) => blockOf(context, block(layer), sizes, traits, norm, rotaries[layer], window(layer)),
    finalNorm: (context, x) => norm.apply(context, "norm", x),
    logitCap: traits.logitCap,
  };
}
