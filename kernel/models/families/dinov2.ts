import type { Value } from "../../graph/index.js";
import { build } from "../../graph/index.js";
import { UnsupportedError } from "../../tensor/index.js";
import { amount, choice, count, flag, only, readConfig } from "../config.js";
import type { Blueprint, Family, GraphContext } from "../family.js";
import type { JsonObject } from "../json.js";
import { activations, linear } from "../layers.js";
import { gatedMlp } from "../mlp.js";
import type { PatchGrid } from "../patchGrid.js";
import { sides } from "../patches.js";
import type { PictureModel } from "../pictureModel.js";
import { classCount, classified, classifierSpecs, firstToken, pictureBlueprint } from "../pictureModel.js";
import type { EncoderSizes } from "../postNormEncoder.js";
import { encoderSpecs, linearSpecs } from "../postNormEncoder.js";

/** Defaults as in transformers' Dinov2Config. */
const fields = {
  hidden_size: count(768),
  num_hidden_layers: count(12),
  num_attention_heads: count(12),
  mlp_ratio: count(4),
  hidden_act: choice(Object.keys(activations), "gelu"),
  layer_norm_eps: amount(1e-6),
  image_size: sides(224),
  patch_size: sides(14),
  num_channels: count(3),
  qkv_bias: flag(true),
  use_swiglu_ffn: flag(false),
  pruned_heads: only({}),
};

/** What training and backbones read. */
const ignored = [
  "apply_layernorm", "attention_probs_dropout_prob", "drop_path_rate", "hidden_dropout_prob", "layerscale_value",
  "out_features", "out_indices", "reshape_hidden_states", "stage_names", "use_mask_token",
]; // prettier-ignore

/** Mean of the patches, class token left out: [B,T,M] → [B,M]. */
function meanPatch({ input }: GraphContext, hidden: Value): Value {
  const isPatch = build.sub(1, build.slice(input("position_mix"), 1, 0, 1)); // [T,1]
  const sum = build.reduceSum(build.mul(hidden, isPatch), [1]);
  return build.div(sum, build.reduceSum(isPatch));
}

function open(architecture: string, json: JsonObject): Blueprint {
  const config = readConfig("dinov2", json, fields, ignored);
  const { hidden_size: width, num_attention_heads: heads, num_hidden_layers: layers } = config;
  if (width % heads !== 0) {
    throw new UnsupportedError(
      `dinov2: hidden_size must be a multiple of num_attention_heads, got ${width} and ${heads}`,
    );
  }
  const [height, imageWidth] = config.image_size;
  const [patchHeight, patchWidth] = config.patch_size;
  const grid: PatchGrid = {
    ...{ channels: config.num_channels, height, width: imageWidth, patchHeight, patchWidth },
    hasClass: true,
    interpolates: true,
  };
  const mlpWidth = width * config.mlp_ratio;
  // The gated MLP has two thirds of the width, as a multiple of 8.
  const gatedWidth = Math.floor((Math.floor((mlpWidth * 2) / 3) + 7) / 8) * 8;
  const isGated = config.use_swiglu_ffn;
  const sizes: EncoderSizes = {
    ...{ layers, heads, width, mlpWidth },
    activation: config.hidden_act,
    epsilon: config.layer_norm_eps,
    block: (layer) => `encoder.layer.${layer}`,
    names: {
      query: "attention.attention.query",
      key: "attention.attention.key",
      value: "attention.attention.value",
      output: "attention.output.dense",
      attentionNorm: "norm1",
      mlpIn: "mlp.fc1",
      mlpOut: "mlp.fc2",
      mlpNorm: "norm2",
    },
  };
  const isRead = (name: string): boolean =>
    (config.qkv_bias || !/\.(query|key|value)\.bias$/.test(name)) && !(isGated && /\.mlp\.fc\d\./.test(name));
  const classifier: PictureModel["head"] = {
    tensors: classifierSpecs(classCount(json), 2 * width),
    outputs: (context, hidden) => {
      const both = build.concat([firstToken(hidden), meanPatch(context, hidden)], 1);
      return { logits: classified(context, both), last_hidden_state: hidden };
    },
  };
  const bare: PictureModel["head"] = {
    tensors: [],
    outputs: (_, hidden) => ({ last_hidden_state: hidden, pooler_output: firstToken(hidden) }),
  };
  const isClassifier = architecture === "Dinov2ForImageClassification";
  return pictureBlueprint({
    ...{ family: "dinov2", architecture, grid, sizes },
    prefix: /^dinov2\./,
    patches: {
      projection: "embeddings.patch_embeddings.projection",
      positions: "embeddings.position_embeddings",
      classToken: "embeddings.cls_token",
      hasBias: true,
      classAxes: [1, 1],
      positionAxes: [1],
    },
    blocks: [
      ...encoderSpecs(sizes).filter(({ name }) => isRead(name)),
      ...Array.from({ length: layers }, (_, layer) => sizes.block(layer)).flatMap((block) => [
        ...[1, 2].map((i) => ({ name: `${block}.layer_scale${i}.lambda1`, shape: [width] })),
        ...(isGated
          ? [
              ...linearSpecs(`${block}.mlp.weights_in`, 2 * gatedWidth, width),
              ...linearSpecs(`${block}.mlp.weights_out`, width, gatedWidth),
            ]
          : []),
      ]),
    ],
    traits: (context) => ({
      scales: (layer) => {
        const scale = (i: number): Value => context.weight(`${sizes.block(layer)}.layer_scale${i}.lambda1`);
        return [scale(1), scale(2)];
      },
      ...(isGated
        ? {
            mlp: (layer: number, x: Value, tap: GraphContext["tap"]): Value => {
              const both = linear(context, `${sizes.block(layer)}.mlp.weights_in`, x);
              const halves = [
                build.slice(both, 2, 0, gatedWidth),
                build.slice(both, 2, gatedWidth, 2 * gatedWidth),
              ] as const;
              return gatedMlp(tap, "silu", halves, (y) => linear(context, `${sizes.block(layer)}.mlp.weights_out`, y));
            },
          }
        : {}),
    }),
    head: isClassifier ? classifier : bare,
    spare: isClassifier ? /^embeddings\.mask_token$/ : /^(classifier\.|embeddings\.mask_token$)/,
  });
}

/**
 * DINOv2: a ViT with scaled sublayers, a gated MLP in the largest size, and positions for pictures of every size.
 *
 * Range    positions of other sizes than the trained one are interpolated as transformers does
 * Source   arXiv:2304.07193 §4; scales arXiv:2103.17239 §2
 */
export const dinov2: Family = {
  name: "dinov2",
  architectures: ["Dinov2Model", "Dinov2ForImageClassification"],
  open,
};
