import { build } from "../../graph/index.js";
import { UnsupportedError } from "../../tensor/index.js";
import { causalBlueprint } from "../causalModel.js";
import type { Field } from "../config.js";
import { amount, choice, count, flag, maybe, only, readConfig, tokenId, tokenIds } from "../config.js";
import type { Blueprint, Family } from "../family.js";
import type { JsonObject } from "../json.js";
import { activations, layerNorm, linear, splitHeads } from "../layers.js";
import { mlp } from "../mlp.js";
import { linearSpecs, normSpecs } from "../postNormEncoder.js";
import { twiceCausalBias } from "../visibility.js";

type Reach = "global" | "local";

/** Runs of layers: kinds that take turns, and how often. */
type LayerRuns = readonly (readonly [readonly Reach[], number])[];

function isRun(value: unknown): value is LayerRuns[number] {
  if (!Array.isArray(value) || value.length !== 2) return false;
  const [kinds, times] = value as readonly unknown[];
  const isKnown = (kind: unknown): boolean => kind === "global" || kind === "local";
  return Array.isArray(kinds) && kinds.every(isKnown) && Number.isSafeInteger(times);
}

const layerRuns: Field<LayerRuns> = {
  read: (value) => (Array.isArray(value) && value.every(isRun) ? value : undefined),
  fallback: [[["global", "local"], 12]],
  expected: 'runs such as [[["global", "local"], 12]]',
};

/** Defaults as in transformers' GPTNeoConfig. */
const fields = {
  vocab_size: count(50257),
  max_position_embeddings: count(2048),
  hidden_size: count(2048),
  num_layers: count(24),
  num_heads: count(16),
  intermediate_size: maybe(count()),
  attention_types: layerRuns,
  window_size: count(256),
  activation_function: choice(Object.keys(activations), "gelu_new"),
  layer_norm_epsilon: amount(1e-5),
  tie_word_embeddings: flag(true),
  pad_token_id: tokenId(null),
  eos_token_id: { ...tokenIds, fallback: [50256] },
  pruned_heads: only({}),
};

/** `attention_layers` spells `attention_types` out; the rest belongs to training and other heads. */
const ignored = [
  "attention_dropout",
  "attention_layers",
  "bos_token_id",
  "classifier_dropout",
  "embed_dropout",
  "resid_dropout",
  "summary_activation",
  "summary_first_dropout",
  "summary_proj_to_labels",
  "summary_type",
  "summary_use_proj",
];

function open(architecture: string, json: JsonObject): Blueprint {
  const config = readConfig("gptNeo", json, fields, ignored);
  const { hidden_size: width, num_heads: heads, num_layers: layers, layer_norm_epsilon: epsilon } = config;
  if (width % heads !== 0) {
    throw new UnsupportedError(`gptNeo: hidden_size must be a multiple of num_heads, got ${width} and ${heads}`);
  }
  const reaches = config.attention_types.flatMap(([kinds, times]) => new Array<readonly Reach[]>(times).fill(kinds));
  const reach = reaches.flat();
  if (reach.length !== layers) {
    throw new UnsupportedError(`gptNeo: attention_types must name ${layers} layers, got ${reach.length}`);
  }
  const mlpWidth = config.intermediate_size ?? 4 * width;
  return causalBlueprint({
    family: "gptNeo",
    architecture,
    layers,
    heads,
    headDim: width / heads,
    width,
    vocabulary: config.vocab_size,
    positions: config.max_position_embeddings,
    padId: config.pad_token_id,
    endIds: config.eos_token_id,
    withHead: architecture === "GPTNeoForCausalLM",
    tied: config.tie_word_embeddings,
    names: { embed: "wte", head: "lm_head" },
    prefix: /^transformer\./,
    buffers: /^h\.\d+\.attn\.attention\.(bias|masked_bias)$/,
    tensors: [
      { name: "wpe.weight", shape: [config.max_position_embeddings, width] },
      ...Array.from({ length: layers }, (_, layer) => `h.${layer}.`).flatMap((prefix) => [
        ...normSpecs(`${prefix}ln_1`, width),
        ...["q", "k", "v"].map((part) => ({
          name: `${prefix}attn.attention.${part}_proj.weight`,
          shape: [width, width],
        })),
        ...linearSpecs(`${prefix}attn.attention.out_proj`, width, width),
        ...normSpecs(`${prefix}ln_2`, width),
        ...linearSpecs(`${prefix}mlp.c_fc`, mlpWidth, width),
        ...linearSpecs(`${prefix}mlp.c_proj`, width, mlpWidth),
      ]),
      ...normSpecs("ln_f", width),
    ],
    embedded: ({ tap, weight, input }, rows) => {
      const places = build.gather(weight("wpe.weight"), input("position_ids"), 0);
      return build.add(tap("embed", rows), tap("pos_embed", places));
    },
    block: (context, layer) => {
      const prefix = `h.${layer}.`;
      return {
        attentionNorm: (x) => layerNorm(context, `${prefix}ln_1`, x, epsilon),
        project: (x) => {
          const [q, k, v] = ["q", "k", "v"].map((part) =>
            splitHeads(linear(context, `${prefix}attn.attention.${part}_proj`, x), heads),
          );
          return [q, k, v];
        },
        scale: 1,
        window: reach[layer] === "local" ? config.window_size : undefined,
        visibility: twiceCausalBias,
        output: (x) => linear(context, `${prefix}attn.attention.out_proj`, x),
        mlpNorm: (x) => layerNorm(context, `${prefix}ln_2`, x, epsilon),
        mlp: (x, tap) =>
          mlp(
            tap,
            config.activation_function,
            (y) => linear(context, `${prefix}mlp.c_fc`, y),
            (y) => linear(context, `${prefix}mlp.c_proj`, y),
            x,
          ),
      };
    },
    finalNorm: (context, x) => layerNorm(context, "ln_f", x, epsilon),
  });
}

/**
 * GPT-Neo: learned positions, scores that are not scaled, a window in some layers.
 *
 * Range    a query without any visible key attends evenly to the keys that its window shows
 * Source   Black et al. 2021, "GPT-Neo" (doi 10.5281/zenodo.5297715)
 */
export const gptNeo: Family = { name: "gptNeo", architectures: ["GPTNeoModel", "GPTNeoForCausalLM"], open };
