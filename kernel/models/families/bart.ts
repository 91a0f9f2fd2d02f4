import { bartFields, bartIgnored, bartModel } from "../bartModel.js";
import { only, readConfig } from "../config.js";
import type { Blueprint, Family } from "../family.js";
import type { JsonObject } from "../json.js";
import { pairBlueprint } from "../pairModel.js";

const fields = {
  ...bartFields,
  normalize_before: only(false),
  normalize_embedding: only(true),
  add_final_layer_norm: only(false),
  static_position_embeddings: only(false),
};

function open(architecture: string, json: JsonObject): Blueprint {
  const config = readConfig("bart", json, fields, bartIgnored);
  const withHead = architecture !== "BartModel";
  const traits = { withHead, normFirst: false, embeddingNorm: true, positionOffset: 2 };
  return pairBlueprint(bartModel("bart", architecture, config, traits));
}

/**
 * BART: norms after each sum, learned positions, normalised embeddings.
 *
 * Source   arXiv:1910.13461
 */
export const bart: Family = {
  name: "bart",
  architectures: ["BartModel", "BartForConditionalGeneration"],
  open,
};
