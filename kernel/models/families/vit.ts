import { UnsupportedError } from "../../tensor/index.js";
import { amount, choice, count, flag, maybe, only, readConfig } from "../config.js";
import type { Blueprint, Family } from "../family.js";
import type { JsonObject } from "../json.js";
import { activations, linear } from "../layers.js";
import type { PatchGrid } from "../patchGrid.js";
import { sides } from "../patches.js";
import type { PictureModel } from "../pictureModel.js";
import { classCount, classified, classifierSpecs, firstToken, pictureBlueprint } from "../pictureModel.js";
import type { EncoderSizes } from "../postNormEncoder.js";
import { encoderSpecs, linearSpecs } from "../postNormEncoder.js";

const known = Object.keys(activations);

/** Defaults as in transformers' ViTConfig. */
const fields = {
  hidden_size: count(768),
  num_hidden_layers: count(12),
  num_attention_heads: count(12),
  intermediate_size: count(3072),
  hidden_act: choice(known, "gelu"),
  layer_norm_eps: amount(1e-12),
  image_size: sides(224),
  patch_size: sides(16),
  num_channels: count(3),
  qkv_bias: flag(true),
  pooler_output_size: maybe(count()),
  pooler_act: choice(known, "tanh"),
  pruned_heads: only({}),
};

const ignored = ["attention_probs_dropout_prob", "encoder_stride", "hidden_dropout_prob"];

function open(architecture: string, json: JsonObject): Blueprint {
  const config = readConfig("vit", json, fields, ignored);
  const { hidden_size: width, num_attention_heads: heads } = config;
  if (width % heads !== 0) {
    throw new UnsupportedError(`vit: hidden_size must be a multiple of num_attention_heads, got ${width} and ${heads}`);
  }
  const [height, imageWidth] = config.image_size;
  const [patchHeight, patchWidth] = config.patch_size;
  const grid: PatchGrid = {
    ...{ channels: config.num_channels, height, width: imageWidth, patchHeight, patchWidth },
    hasClass: true,
    interpolates: false,
  };
  const sizes: EncoderSizes = {
    ...{ layers: config.num_hidden_layers, heads, width },
    mlpWidth: config.intermediate_size,
    activation: config.hidden_act,
    epsilon: config.layer_norm_eps,
    block: (layer) => `encoder.layer.${layer}`,
    names: {
      query: "attention.attention.query",
      key: "attention.attention.key",
      value: "attention.attention.value",
      output: "attention.output.dense",
      attentionNorm: "layernorm_before",
      mlpIn: "intermediate.dense",
      mlpOut: "output.dense",
      mlpNorm: "layernorm_after",
    },
  };
  const pooled = config.pooler_output_size ?? width;
  const classifier: PictureModel["head"] = {
    tensors: classifierSpecs(classCount(json), width),
    outputs: (context, hidden) => ({
      logits: classified(context, firstToken(hidden)),
      last_hidden_state: hidden,
    }),
  };
  const pooler: PictureModel["head"] = {
    tensors: linearSpecs("pooler.dense", pooled, width).map((spec) => ({ ...spec, optional: true })),
    outputs: (context, hidden) => ({
      last_hidden_state: hidden,
      ...(context.has("pooler.dense.weight")
        ? { pooler_output: activations[config.pooler_act](linear(context, "pooler.dense", firstToken(hidden))) }
        : {}),
    }),
  };
  const isClassifier = architecture === "ViTForImageClassification";
  return pictureBlueprint({
    ...{ family: "vit", architecture, grid, sizes },
    prefix: /^vit\./,
    patches: {
      projection: "embeddings.patch_embeddings.projection",
      positions: "embeddings.position_embeddings",
      classToken: "embeddings.cls_token",
      hasBias: true,
      classAxes: [1, 1],
      positionAxes: [1],
    },
    blocks: encoderSpecs(sizes).filter(({ name }) => config.qkv_bias || !/\.(query|key|value)\.bias$/.test(name)),
    traits: () => ({}),
    head: isClassifier ? classifier : pooler,
    spare: isClassifier ? /^(pooler\.|embeddings\.mask_token$)/ : /^(classifier\.|decoder\.|embeddings\.mask_token$)/,
  });
}

/**
 * ViT: patches of a picture as tokens after a class token; `ViTForImageClassification` adds the classifier.
 *
 * Range    pictures of the trained size only
 * Source   arXiv:2010.11929 §3.1
 */
export const vit: Family = { name: "vit", architectures: ["ViTModel", "ViTForImageClassification"], open };
