import type { Value } from "../../graph/index.js";
import { build } from "../../graph/index.js";
import { knownNames, Tensor, UnsupportedError } from "../../tensor/index.js";
import { clipVision } from "../clipVision.js";
import type { Field } from "../config.js";
import { choice, flag, only, readConfig, record, tokenId } from "../config.js";
import type { Batch, Blueprint, Family, GraphContext } from "../family.js";
import type { JsonObject } from "../json.js";
import { activations, linear } from "../layers.js";
import { patchInputs } from "../patches.js";
import { trainedPositions } from "../patchGrid.js";
import { prefixed, within } from "../towers.js";
import { llama } from "./llama.js";
import { mistral } from "./mistral.js";
import { qwen2 } from "./qwen2.js";

/** Language models by `model_type`: those that read embeddings as they are stored. */
const languages: Readonly<Record<string, { readonly family: Family; readonly architecture: string }>> = {
  llama: { family: llama, architecture: "LlamaForCausalLM" },
  mistral: { family: mistral, architecture: "MistralForCausalLM" },
  qwen2: { family: qwen2, architecture: "Qwen2ForCausalLM" },
};

const layerNumber: Field<number> = {
  read: (value) => (Number.isSafeInteger(value) ? (value as number) : undefined),
  fallback: -2,
  expected: "one layer, counted from the end where it is negative",
};

/** Defaults as in transformers' LlavaConfig. */
const fields = {
  text_config: record,
  vision_config: record,
  image_token_index: tokenId(32000),
  projector_hidden_act: choice(Object.keys(activations), "gelu"),
  vision_feature_layer: layerNumber,
  vision_feature_select_strategy: choice(["default", "full"], "default"),
  multimodal_projector_bias: flag(true),
  tie_word_embeddings: only(false),
};

const ignored = ["ignore_index", "image_seq_length", "pad_token_id", "vocab_size"];

/** What stands before a pixel feature's own name in checkpoints of either syntax. */
function canonicalName(language: Blueprint, name: string): string | undefined {
  const current = name.replace(/^model\./, "");
  if (current.startsWith("vision_tower.")) {
    return current.endsWith(".position_ids")
      ? undefined
      : current.replace(/^vision_tower\.(vision_model\.)?/, "vision.");
  }
  if (current.startsWith("multi_modal_projector.")) return current;
  const inner = language.canonicalName(current.replace(/^language_model\./, ""));
  return inner === undefined ? undefined : `language.${inner}`;
}

/** For each token the row of the features that is put in its place, −1 where none is: [batch, query]. */
function imageSlots({ size, length, inputIds }: Batch, imageId: number): Tensor {
  let next = 0;
  return new Tensor(
    "int32",
    [size, length],
    Int32Array.from(inputIds, (id) => (id === imageId ? next++ : -1)),
  );
}

/** Rows of embeddings, [B,T,M], with features, [P·N,M], in the places that {@link imageSlots} names. */
function merged({ input }: GraphContext, rows: Value, features: Value): Value {
  const slots = input("image_slots");
  const chosen = build.gather(features, build.where(build.less(slots, 0), 0, slots), 0); // [B,T,M]
  return build.where(build.unsqueeze(build.less(slots, 0), [2]), rows, chosen);
}

function open(architecture: string, json: JsonObject): Blueprint {
  const config = readConfig("llava", json, fields, ignored);
  const { model_type: type = "llama", ...rest } = config.text_config;
  if (typeof type !== "string" || !Object.hasOwn(languages, type)) {
    throw new UnsupportedError(
      `llava: text_config of model_type ${JSON.stringify(type)} is not handled${knownNames(String(type), Object.keys(languages))}`,
    );
  }
  const visionType = config.vision_config["model_type"] ?? "clip_vision_model";
  if (visionType !== "clip_vision_model") {
    throw new UnsupportedError(
      `llava: vision_config of model_type ${JSON.stringify(visionType)} is not handled; expected "clip_vision_model"`,
    );
  }
  const language = languages[type].family.open(languages[type].architecture, rest);
  const vision = clipVision("llava", config.vision_config);
  const { grid, sizes } = vision;
  const { vision_feature_layer: feature, image_token_index: imageId } = config;
  const visionLayers = feature < 0 ? sizes.layers + 1 + feature : feature;
  if (visionLayers < 1 || visionLayers > sizes.layers) {
    throw new UnsupportedError(`llava: vision_feature_layer must name one of ${sizes.layers} layers, got ${feature}`);
  }
  if (imageId === null || imageId >= language.vocabulary) {
    throw new UnsupportedError(
      `llava: image_token_index must be in 0 … ${language.vocabulary - 1}, got ${JSON.stringify(imageId)}`,
    );
  }
  const first = config.vision_feature_select_strategy === "default" ? 1 : 0;
  const tokens = trainedPositions(grid);
  const { layers, heads, kvHeads = heads, headDim, width } = language;
  const projected = (name: string, inputs: number): Blueprint["tensors"] => [
    { name: `multi_modal_projector.${name}.weight`, shape: [width, inputs] },
    ...(config.multimodal_projector_bias ? [{ name: `multi_modal_projector.${name}.bias`, shape: [width] }] : []),
  ];
  return {
    ...language,
    ...{ family: "llava", architecture },
    tensors: [
      ...prefixed("language.", language.tensors),
      ...prefixed("vision.", vision.tensors),
      ...projected("linear_1", sizes.width),
      ...projected("linear_2", width),
    ],
    canonicalName: (name) => canonicalName(language, name),
    unembedding: language.unembedding && `language.${language.unembedding}`,
    stacks: [
      {
        ...{ name: "language", layers, heads, kvHeads, headDim, causal: true, queries: "prompt", keys: "prompt" },
        path: (layer) => `blocks.${layer}.attn`,
      },
      {
        ...{ name: "vision", layers: visionLayers, heads: sizes.heads, headDim: sizes.width / sizes.heads },
        ...{ causal: false, queries: "pictures", keys: "pictures" },
        path: (layer) => `vision.blocks.${layer}.attn`,
      },
    ],
    pictures: { grid, sequence: "pictures", imageToken: { id: imageId, perPicture: tokens - first } },
    inputs: [...language.inputs, "image_slots", ...patchInputs(grid, "picture")],
    feeds: (batch) => ({
      ...language.feeds(batch),
      ...batch.patches?.feeds,
      image_slots: imageSlots(batch, imageId),
    }),
    build: (context) => {
      const hidden = vision.hidden(within(context, "vision.", "vision."), visionLayers);
      const selected = build.slice(hidden, 1, first, tokens); // [P,N,M]
      const projector = within(context, "multi_modal_projector.", "");
      const inner = activations[config.projector_hidden_act](linear(projector, "linear_1", selected));
      const perPicture = linear(projector, "linear_2", inner);
      const flat = build.reshape(perPicture, [`${tokens - first}*picture`, width]);
      const features = context.tap("image_features", flat);
      const words = within(context, "language.", "");
      const outputs = language.build({
        ...words,
        // The first thing a language model does with its embeddings is to name them.
        tap: (address, value) => words.tap(address, address === "embed" ? merged(context, value, features) : value),
      });
      return { ...outputs, image_features: features };
    },
  };
}

/**
 * LLaVA: patches of CLIP's encoder, projected into the embeddings of a causal language model in place of image tokens.
 * The language model has the bare addresses, the encoder those below `vision.`; it runs as far as its features are read.
 *
 * Range    pictures of the trained size only
 * Source   arXiv:2304.08485 §4.1; the projection of two layers arXiv:2310.03744 §3.3
 */
export const llava: Family = { name: "llava", architectures: ["LlavaForConditionalGeneration"], open };
