import type { Value } from "../../graph/index.js";
import { build } from "../../graph/index.js";
import { attend } from "../attention.js";
import { count, maybe, only, readConfig, record, tokenId } from "../config.js";
import type { Blueprint, Family, GraphContext, TensorSpec } from "../family.js";
import { arange, tokenFeeds } from "../feeds.js";
import type { JsonObject } from "../json.js";
import { layerNorm, linear, splitHeads } from "../layers.js";
import { mlp } from "../mlp.js";
import type { PatchNames } from "../patches.js";
import { embedPatches, patchInputs, patchSpecs } from "../patches.js";
import type { EncoderSizes } from "../postNormEncoder.js";
import { encoderSpecs, linearSpecs, normSpecs } from "../postNormEncoder.js";
import { preNormEncoder } from "../preNormEncoder.js";
import type { TowerConfig } from "../towers.js";
import {
  embedText,
  fit,
  pictureFields,
  pooledFeed,
  pooledText,
  prefixed,
  towerFields,
  towerGrid,
  towerIgnored,
  towerSizes,
  within,
} from "../towers.js";
import { paddingBias } from "../visibility.js";
import { writtenHeads } from "../writtenHeads.js";

/** Defaults as in transformers' SiglipConfig, SiglipTextConfig and SiglipVisionConfig. */
const fields = {
  text_config: maybe(record),
  vision_config: maybe(record),
  tie_word_embeddings: only(true, false),
};
const sizesOf = towerFields("gelu_pytorch_tanh", 1e-6, [768, 3072, 12]);
const textFields = {
  ...sizesOf,
  vocab_size: count(32000),
  max_position_embeddings: count(64),
  pad_token_id: tokenId(1),
  projection_size: maybe(count()),
};
const visionFields = { ...sizesOf, ...pictureFields(16), vision_use_head: only(true) };

const patches: PatchNames = {
  projection: "embeddings.patch_embedding",
  positions: "embeddings.position_embedding.weight",
  hasBias: true,
  positionAxes: [],
};

function poolSpecs({ width, mlpWidth }: EncoderSizes): readonly TensorSpec[] {
  return [
    { name: "head.probe", shape: [1, 1, width] },
    { name: "head.attention.in_proj_weight", shape: [3 * width, width] },
    { name: "head.attention.in_proj_bias", shape: [3 * width] },
    ...linearSpecs("head.attention.out_proj", width, width),
    ...normSpecs("head.layernorm", width),
    ...linearSpecs("head.mlp.fc1", mlpWidth, width),
    ...linearSpecs("head.mlp.fc2", width, mlpWidth),
  ];
}

/**
 * One vector per picture: a learned query attends to all patches.
 *
 *   y = W_O · z(probe, x) + b_O,  pooled = y + MLP(LN(y))
 *
 * Shapes   x [P,T,M] → [P,M]
 * Source   arXiv:2106.04560 §3 (multi-head attention pooling)
 */
function pooledPatches(context: GraphContext, { heads, width, activation, epsilon }: EncoderSizes, x: Value): Value {
  const { weight } = context;
  const tap = (part: string, value: Value): Value => context.tap(`pool.${part}`, value);
  const projected = (part: number, from: Value, name: string): Value => {
    const [start, end] = [part * width, (part + 1) * width];
    const matrix = build.slice(weight("head.attention.in_proj_weight"), 0, start, end);
    const bias = build.slice(weight("head.attention.in_proj_bias"), 0, start, end);
    const product = build.matMul(from, build.transpose(matrix, [1, 0]));
    return tap(`attn.${name}`, splitHeads(build.add(product, bias), heads));
  };
  const probe = build.expand(weight("head.probe"), [x.shape[0], 1, width]);
  const [q, k, v] = [projected(0, probe, "q"), projected(1, x, "k"), projected(2, x, "v")];
  const z = attend(tap, q, k, v, { scale: 1 / Math.sqrt(width / heads) });
  const read = tap(
    "attn_out",
    writtenHeads(tap, z, (y) => linear(context, "head.attention.out_proj", y)),
  );
  const [into, out] = ["fc1", "fc2"].map((name) => (y: Value) => linear(context, `head.mlp.${name}`, y));
  const computed = mlp(tap, activation, into, out, layerNorm(context, "head.layernorm", read, epsilon));
  return build.squeeze(build.add(read, tap("mlp_out", computed)), [1]);
}

function open(architecture: string, json: JsonObject): Blueprint {
  const config = readConfig("siglip", json, fields, ["initializer_factor"]);
  const text = readConfig("siglip", config.text_config ?? {}, textFields, towerIgnored);
  const vision = readConfig("siglip", config.vision_config ?? {}, visionFields, towerIgnored);
  const sides = (part: string, tower: TowerConfig): EncoderSizes => towerSizes(`siglip ${part}`, tower);
  const [words, seen] = [sides("text_config", text), sides("vision_config", vision)];
  const grid = towerGrid(vision, false);
  const projection = text.projection_size ?? words.width;
  const stack = (
    name: "text" | "vision",
    sequence: "prompt" | "pictures",
    { layers, heads, width }: EncoderSizes,
  ): NonNullable<Blueprint["stacks"]>[number] => ({
    ...{ name, layers, heads, headDim: width / heads, causal: false, queries: sequence, keys: sequence },
    path: (layer) => `${name}.blocks.${layer}.attn`,
  });
  return {
    ...{ family: "siglip", architecture, layers: words.layers, heads: words.heads, width: words.width },
    headDim: words.width / words.heads,
    vocabulary: text.vocab_size,
    positions: text.max_position_embeddings,
    tokenTypes: 1,
    causal: false,
    padId: text.pad_token_id ?? 1,
    tensors: [
      ...prefixed("text_model.", [
        { name: "embeddings.token_embedding.weight", shape: [text.vocab_size, words.width] },
        { name: "embeddings.position_embedding.weight", shape: [text.max_position_embeddings, words.width] },
        ...encoderSpecs(words),
        ...normSpecs("final_layer_norm", words.width),
        ...linearSpecs("head", projection, words.width),
      ]),
      ...prefixed("vision_model.", [
        ...patchSpecs(grid, patches, seen.width),
        ...encoderSpecs(seen),
        ...normSpecs("post_layernorm", seen.width),
        ...poolSpecs(seen),
      ]),
      { name: "logit_scale", shape: [1] },
      { name: "logit_bias", shape: [1] },
    ],
    canonicalName: (name) => (name.endsWith(".position_ids") ? undefined : name),
    stacks: [stack("text", "prompt", words), stack("vision", "pictures", seen)],
    // The model was trained on texts that fill all positions.
    pictures: { grid, sequence: "pictures", fillsTexts: true },
    inputs: [
      "input_ids",
      "attention_mask",
      "position_ids",
      "token_index",
      { name: "pooled_index", dtype: "int32", shape: ["batch"] },
      ...patchInputs(grid, "picture"),
    ],
    feeds: (batch) => ({
      ...tokenFeeds(batch, arange(batch)),
      ...batch.patches!.feeds,
      ...pooledFeed(batch, () => batch.length - 1),
    }),
    build: (context) => {
      const told = within(context, "text_model.", "text.");
      const bias = paddingBias(context.input("attention_mask"));
      const stream = preNormEncoder(told, words, embedText(told), { bias });
      const text_last_hidden_state = told.tap("ln_final", layerNorm(told, "final_layer_norm", stream, words.epsilon));
      const texts = linear(told, "head", pooledText(context, text_last_hidden_state));
      const pictured = within(context, "vision_model.", "vision.");
      const patchStream = preNormEncoder(pictured, seen, embedPatches(pictured, patches, seen.width));
      const normed = layerNorm(pictured, "post_layernorm", patchStream, seen.epsilon);
      const vision_last_hidden_state = pictured.tap("ln_final", normed);
      const pooled = pooledPatches(pictured, seen, vision_last_hidden_state);
      return {
        ...fit(texts, pooled, context.weight("logit_scale"), context.weight("logit_bias")),
        ...{ text_last_hidden_state, vision_last_hidden_state },
        ...{ text_pooler_output: texts, vision_pooler_output: pooled },
      };
    },
  };
}

/**
 * SigLIP: an encoder of texts and one of pictures whose patches are pooled by attention; `vision.pool` is its address.
 *
 * Range    pictures of the trained size only; a text is read at its last position, padding or not
 * Source   arXiv:2303.15343 §3–4
 */
export const siglip: Family = { name: "siglip", architectures: ["SiglipModel"], open };
