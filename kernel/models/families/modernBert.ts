import type { Value } from "../../graph/index.js";
import { build } from "../../graph/index.js";
import { UnsupportedError } from "../../tensor/index.js";
import { amount, choice, count, flag, maybe, only, readConfig, record, tokenId } from "../config.js";
import type { Blueprint, Family, TensorSpec } from "../family.js";
import { arange, tokenFeeds } from "../feeds.js";
import type { JsonObject } from "../json.js";
import { activations, layerNorm, linear, splitHeads } from "../layers.js";
import { gatedMlp } from "../mlp.js";
import { preNormDecoder } from "../preNormDecoder.js";
import type { Rotary, RotaryConfig } from "../rotary.js";
import { rotaryOf } from "../rotary.js";
import { layerTypes, windowsOf } from "../slidingLayers.js";
import { nearBias } from "../visibility.js";

const activation = choice(Object.keys(activations), "gelu");

/** Defaults as in transformers' ModernBertConfig. */
const fields = {
  vocab_size: count(50368),
  hidden_size: count(768),
  intermediate_size: count(1152),
  num_hidden_layers: count(22),
  num_attention_heads: count(12),
  hidden_activation: activation,
  max_position_embeddings: count(8192),
  norm_eps: amount(1e-5),
  norm_bias: flag(false),
  attention_bias: flag(false),
  mlp_bias: flag(false),
  decoder_bias: flag(true),
  classifier_bias: flag(false),
  classifier_activation: activation,
  pad_token_id: tokenId(50283),
  local_attention: count(128),
  layer_types: layerTypes,
  global_attn_every_n_layers: count(3),
  global_rope_theta: amount(160000),
  local_rope_theta: amount(10000),
  rope_scaling: only<null>(null),
  rope_parameters: maybe(record),
  tie_word_embeddings: flag(true),
};

/** What only training, other heads or other kernels read; positions are rotary whatever `position_embedding_type` says. */
const ignored = [
  "attention_dropout", "bos_token_id", "classifier_dropout", "classifier_pooling", "cls_token_id",
  "deterministic_flash_attn", "embedding_dropout", "eos_token_id", "initializer_cutoff_factor", "layer_norm_eps",
  "mlp_dropout", "position_embedding_type", "reference_compile", "repad_logits_with_grad", "sep_token_id",
  "sparse_pred_ignore_index", "sparse_prediction",
]; // prettier-ignore

/** Rotary positions of the layers that see everything, or of those that see their neighbours. */
function rotaryFor(
  kind: "full" | "sliding",
  theta: number,
  {
    rope_parameters: parameters,
    max_position_embeddings,
  }: Pick<RotaryConfig, "rope_parameters" | "max_position_embeddings">,
  headDim: number,
): Rotary {
  const own = parameters?.[`${kind}_attention`] ?? null;
  if (typeof own !== "object" || Array.isArray(own)) {
    throw new UnsupportedError(`modernBert: rope_parameters.${kind}_attention must be an object, got ${typeof own}`);
  }
  return rotaryOf(
    "modernBert",
    { rope_theta: theta, rope_scaling: null, rope_parameters: own as JsonObject | null, max_position_embeddings },
    headDim,
  );
}

function open(architecture: string, json: JsonObject): Blueprint {
  const config = readConfig("modernBert", json, fields, ignored);
  const { hidden_size: width, num_attention_heads: heads, num_hidden_layers: layers, norm_eps: epsilon } = config;
  const { intermediate_size: mlpWidth, vocab_size: vocabulary, tie_word_embeddings: tied } = config;
  if (width % heads !== 0) {
    throw new UnsupportedError(
      `modernBert: hidden_size must be a multiple of num_attention_heads, got ${width} and ${heads}`,
    );
  }
  const headDim = width / heads;
  const withHead = architecture === "ModernBertForMaskedLM";
  // Half of the window lies on each side of the query.
  const reach = Math.floor(config.local_attention / 2);
  const every = config.global_attn_every_n_layers;
  const windows = windowsOf("modernBert", layers, config.layer_types, reach, (layer) => layer % every !== 0);
  const far = rotaryFor("full", config.global_rope_theta, config, headDim);
  const near = rotaryFor("sliding", config.local_rope_theta, config, headDim);

  const weights = (name: string, outputs: number, inputs: number, bias: boolean): TensorSpec[] => [
    { name: `${name}.weight`, shape: [outputs, inputs] },
    ...(bias ? [{ name: `${name}.bias`, shape: [outputs] }] : []),
  ];
  const norm = (name: string): TensorSpec[] => [
    { name: `${name}.weight`, shape: [width] },
    ...(config.norm_bias ? [{ name: `${name}.bias`, shape: [width] }] : []),
  ];
  return {
    family: "modernBert",
    ...{ architecture, layers, heads, headDim, width, vocabulary },
    positions: config.max_position_embeddings,
    tokenTypes: 1,
    causal: false,
    padId: config.pad_token_id ?? 0,
    tensors: [
      { name: "embeddings.tok_embeddings.weight", shape: [vocabulary, width] },
      ...norm("embeddings.norm"),
      ...Array.from({ length: layers }, (_, layer) => `layers.${layer}.`).flatMap((prefix, layer) => [
        ...(layer === 0 ? [] : norm(`${prefix}attn_norm`)),
        ...weights(`${prefix}attn.Wqkv`, 3 * width, width, config.attention_bias),
        ...weights(`${prefix}attn.Wo`, width, width, config.attention_bias),
        ...norm(`${prefix}mlp_norm`),
        ...weights(`${prefix}mlp.Wi`, 2 * mlpWidth, width, config.mlp_bias),
        ...weights(`${prefix}mlp.Wo`, width, mlpWidth, config.mlp_bias),
      ]),
      ...norm("final_norm"),
      ...(withHead
        ? [
            ...weights("head.dense", width, width, config.classifier_bias),
            ...norm("head.norm"),
            ...(tied ? [] : [{ name: "decoder.weight", shape: [vocabulary, width] }]),
            ...(config.decoder_bias ? [{ name: "decoder.bias", shape: [vocabulary] }] : []),
          ]
        : []),
    ],
    canonicalName: (name) => {
      const current = name.replace(/^model\./, "");
      if (!withHead && /^(head|decoder)\./.test(current)) return undefined;
      // A tied unembedding is stored again by some versions.
      return tied && current === "decoder.weight" ? undefined : current;
    },
    inputs: ["input_ids", "attention_mask", "position_ids", "token_index"],
    feeds: (batch) => tokenFeeds(batch, arange(batch)),
    build: (context) => {
      const { weight, has, input, tap } = context;
      const normed = (name: string, x: Value): Value => layerNorm(context, name, x, epsilon);
      const embed = tap("embed", build.gather(weight("embeddings.tok_embeddings.weight"), input("input_ids"), 0));
      const blocks = Array.from({ length: layers }, (_, layer) => {
        const prefix = `layers.${layer}.`;
        const window = windows(layer);
        return {
          // The embeddings come normed: the first block reads them as they are.
          attentionNorm: (x: Value) => (layer === 0 ? x : normed(`${prefix}attn_norm`, x)),
          project: (x: Value): [Value, Value, Value] => {
            const all = linear(context, `${prefix}attn.Wqkv`, x);
            const part = (i: number): Value => splitHeads(build.slice(all, 2, i * width, (i + 1) * width), heads);
            return [part(0), part(1), part(2)];
          },
          rotary: window === undefined ? far : near,
          scale: 1 / Math.sqrt(headDim),
          window,
          visibility: nearBias,
          output: (x: Value) => linear(context, `${prefix}attn.Wo`, x),
          mlpNorm: (x: Value) => normed(`${prefix}mlp_norm`, x),
          mlp: (x: Value, named: typeof tap) => {
            const both = linear(context, `${prefix}mlp.Wi`, x);
            const [gate, up] = [build.slice(both, 2, 0, mlpWidth), build.slice(both, 2, mlpWidth, 2 * mlpWidth)];
            const down = (y: Value): Value => linear(context, `${prefix}mlp.Wo`, y);
            return gatedMlp(named, config.hidden_activation, [gate, up], down);
          },
        };
      });
      const stream = preNormDecoder(context, blocks, normed("embeddings.norm", embed));
      const final = tap("ln_final", normed("final_norm", stream));
      if (!withHead) return { last_hidden_state: final };
      const inner = activations[config.classifier_activation](linear(context, "head.dense", final));
      const unembed = weight(tied ? "embeddings.tok_embeddings.weight" : "decoder.weight");
      const logits = build.matMul(normed("head.norm", inner), build.transpose(unembed, [1, 0]));
      return {
        logits: has("decoder.bias") ? build.add(logits, weight("decoder.bias")) : logits,
        last_hidden_state: final,
      };
    },
  };
}

/**
 * ModernBERT: rotary positions, a gated MLP, and layers that see everything among layers that see their neighbours.
 *
 * Range    a query without any visible key attends to every key evenly
 * Source   arXiv:2412.13663 §2.1
 */
export const modernBert: Family = {
  name: "modernBert",
  architectures: ["ModernBertModel", "ModernBertForMaskedLM"],
  open,
};
