import type { Value } from "../graph/index.js";
import { build } from "../graph/index.js";
import { readConfig } from "./config.js";
import type { GraphContext, TensorSpec } from "./family.js";
import type { JsonObject } from "./json.js";
import { layerNorm } from "./layers.js";
import type { PatchGrid } from "./patchGrid.js";
import type { PatchNames } from "./patches.js";
import { embedPatches, patchSpecs } from "./patches.js";
import type { EncoderSizes } from "./postNormEncoder.js";
import { encoderSpecs, normSpecs } from "./postNormEncoder.js";
import { preNormEncoder } from "./preNormEncoder.js";
import { pictureFields, towerFields, towerGrid, towerIgnored, towerSizes } from "./towers.js";

/** Defaults as in transformers' CLIPVisionConfig. */
const fields = { ...towerFields("quick_gelu", 1e-5, [768, 3072, 12]), ...pictureFields(32) };

/** CLIP's encoder of pictures, by itself or below a language model. */
export interface ClipVision {
  readonly grid: PatchGrid;
  readonly sizes: EncoderSizes;
  readonly tensors: readonly TensorSpec[];
  /** The output of the first `layers` blocks, not normed, [P,T,M]. */
  readonly hidden: (context: GraphContext, layers: number) => Value;
  /** The class token of it, normed, [P,M]. */
  readonly pooled: (context: GraphContext, hidden: Value) => Value;
}

const patches: PatchNames = {
  projection: "embeddings.patch_embedding",
  positions: "embeddings.position_embedding.weight",
  classToken: "embeddings.class_embedding",
  hasBias: false,
  positionAxes: [],
};

/**
 * Throws   UnsupportedError on a config that it cannot follow exactly
 * Source   arXiv:2103.00020 §2.4
 */
export function clipVision(place: string, json: JsonObject): ClipVision {
  const config = readConfig(place, json, fields, towerIgnored);
  const sizes = towerSizes(`${place} vision_config`, config);
  const grid = towerGrid(config, true);
  const { width, epsilon } = sizes;
  return {
    ...{ grid, sizes },
    tensors: [
      ...patchSpecs(grid, patches, width),
      // The name is CLIP's own.
      ...normSpecs("pre_layrnorm", width),
      ...encoderSpecs(sizes),
      ...normSpecs("post_layernorm", width),
    ],
    hidden: (context, layers) => {
      const embedded = embedPatches(context, patches, width);
      return preNormEncoder(context, { ...sizes, layers }, layerNorm(context, "pre_layrnorm", embedded, epsilon));
    },
    pooled: (context, hidden) => {
      const first = build.squeeze(build.slice(hidden, 1, 0, 1), [1]);
      return context.tap("ln_final", layerNorm(context, "post_layernorm", first, epsilon));
    },
  };
}
