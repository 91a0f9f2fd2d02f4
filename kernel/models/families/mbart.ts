import { bartFields, bartIgnored, bartModel } from "../bartModel.js";
import { only, readConfig, tokenId } from "../config.js";
import type { Blueprint, Family } from "../family.js";
import type { JsonObject } from "../json.js";
import { pairBlueprint } from "../pairModel.js";

/** Defaults as in transformers' MBartConfig. */
const fields = {
  ...bartFields,
  decoder_start_token_id: tokenId(null),
  normalize_before: only(true),
  normalize_embedding: only(true),
  add_final_layer_norm: only(true),
  static_position_embeddings: only(false),
};

function open(architecture: string, json: JsonObject): Blueprint {
  const config = readConfig("mbart", json, fields, bartIgnored);
  const withHead = architecture !== "MBartModel";
  const traits = { withHead, normFirst: true, embeddingNorm: true, positionOffset: 2, startsWithLast: true };
  return pairBlueprint(bartModel("mbart", architecture, config, traits));
}

/**
 * mBART: BART with the norms first and one more after the last block; a text's decoder starts with the text's last
 * token, the name of its language.
 *
 * Source   arXiv:2001.08210 §2
 */
export const mbart: Family = {
  name: "mbart",
  architectures: ["MBartModel", "MBartForConditionalGeneration"],
  open,
};
