import { clipVision } from "../clipVision.js";
import { count, maybe, only, readConfig, record, tokenId } from "../config.js";
import type { Batch, Blueprint, Family } from "../family.js";
import { arange, tokenFeeds } from "../feeds.js";
import type { JsonObject } from "../json.js";
import { layerNorm, linear } from "../layers.js";
import { patchInputs } from "../patches.js";
import { encoderSpecs, normSpecs } from "../postNormEncoder.js";
import { preNormEncoder } from "../preNormEncoder.js";
import {
  embedText,
  fit,
  pooledFeed,
  pooledText,
  prefixed,
  towerFields,
  towerIgnored,
  towerSizes,
  within,
} from "../towers.js";
import { causalBias } from "../visibility.js";

/** Defaults as in transformers' CLIPConfig and CLIPTextConfig. */
const fields = {
  text_config: maybe(record),
  vision_config: maybe(record),
  // Where these are given, they win, with the defaults of what they leave out.
  text_config_dict: maybe(record),
  vision_config_dict: maybe(record),
  projection_dim: count(512),
  tie_word_embeddings: only(true, false),
};
const textFields = {
  ...towerFields("quick_gelu", 1e-5, [512, 2048, 8]),
  vocab_size: count(49408),
  max_position_embeddings: count(77),
  eos_token_id: tokenId(49407),
  pad_token_id: tokenId(1),
};

/** Position of the token that stands for the whole text: the first end, or the largest id where the config says 2. */
function endOf({ length, inputIds }: Batch, row: number, endId: number | null): number {
  const ids = inputIds.subarray(row * length, (row + 1) * length);
  return Math.max(0, ids.indexOf(endId === 2 ? ids.reduce((a, b) => Math.max(a, b)) : (endId ?? -1)));
}

function open(architecture: string, json: JsonObject): Blueprint {
  const config = readConfig("clip", json, fields, ["initializer_factor", "logit_scale_init_value"]);
  const text = readConfig("clip", config.text_config_dict ?? config.text_config ?? {}, textFields, towerIgnored);
  const vision = clipVision("clip", config.vision_config_dict ?? config.vision_config ?? {});
  const sizes = towerSizes("clip text_config", text);
  const { layers, heads, width, epsilon } = sizes;
  const { layers: visionLayers, heads: visionHeads, width: visionWidth } = vision.sizes;
  return {
    ...{ family: "clip", architecture, layers, heads, width },
    headDim: width / heads,
    vocabulary: text.vocab_size,
    positions: text.max_position_embeddings,
    tokenTypes: 1,
    causal: false,
    padId: text.pad_token_id ?? 0,
    tensors: [
      ...prefixed("text_model.", [
        { name: "embeddings.token_embedding.weight", shape: [text.vocab_size, width] },
        { name: "embeddings.position_embedding.weight", shape: [text.max_position_embeddings, width] },
        ...encoderSpecs(sizes),
        ...normSpecs("final_layer_norm", width),
      ]),
      ...prefixed("vision_model.", vision.tensors),
      { name: "text_projection.weight", shape: [config.projection_dim, width] },
      { name: "visual_projection.weight", shape: [config.projection_dim, visionWidth] },
      { name: "logit_scale", shape: [] },
    ],
    canonicalName: (name) => (name.endsWith(".position_ids") ? undefined : name),
    stacks: [
      {
        ...{ name: "text", layers, heads, headDim: width / heads, causal: true, queries: "prompt", keys: "prompt" },
        path: (layer) => `text.blocks.${layer}.attn`,
      },
      {
        ...{ name: "vision", layers: visionLayers, heads: visionHeads, headDim: visionWidth / visionHeads },
        ...{ causal: false, queries: "pictures", keys: "pictures" },
        path: (layer) => `vision.blocks.${layer}.attn`,
      },
    ],
    pictures: { grid: vision.grid, sequence: "pictures" },
    inputs: [
      "input_ids",
      "attention_mask",
      "position_ids",
      "token_index",
      { name: "pooled_index", dtype: "int32", shape: ["batch"] },
      ...patchInputs(vision.grid, "picture"),
    ],
    feeds: (batch) => ({
      ...tokenFeeds(batch, arange(batch)),
      ...batch.patches!.feeds,
      ...pooledFeed(batch, (row) => endOf(batch, row, text.eos_token_id)),
    }),
    build: (context) => {
      const { input } = context;
      const words = within(context, "text_model.", "text.");
      const index = input("token_index");
      const bias = causalBias({ mask: input("attention_mask"), queries: index, keys: index }, undefined);
      const stream = preNormEncoder(words, sizes, embedText(words), { bias });
      const text_last_hidden_state = words.tap("ln_final", layerNorm(words, "final_layer_norm", stream, epsilon));
      const text_pooler_output = pooledText(context, text_last_hidden_state);
      const seen = within(context, "vision_model.", "vision.");
      const vision_last_hidden_state = vision.hidden(seen, visionLayers);
      const vision_pooler_output = vision.pooled(seen, vision_last_hidden_state);
      const texts = linear(context, "text_projection", text_pooler_output);
      const pictures = linear(context, "visual_projection", vision_pooler_output);
      return {
        ...fit(texts, pictures, context.weight("logit_scale")),
        ...{ text_last_hidden_state, vision_last_hidden_state, text_pooler_output, vision_pooler_output },
      };
    },
  };
}

/**
 * CLIP: an encoder of texts and one of pictures, and how well each text fits each picture.
 *
 * Range    pictures of the trained size only; a query without any visible key attends to every key evenly
 * Source   arXiv:2103.00020 §2.3–2.4
 */
export const clip: Family = { name: "clip", architectures: ["CLIPModel"], open };
