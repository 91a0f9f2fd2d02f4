import { bartFields, bartIgnored, bartModel } from "../bartModel.js";
import { only, readConfig, tokenId, tokenIds } from "../config.js";
import type { Blueprint, Family } from "../family.js";
import type { JsonObject } from "../json.js";
import { pairBlueprint } from "../pairModel.js";

/** Defaults as in transformers' PegasusConfig. */
const fields = {
  ...bartFields,
  pad_token_id: tokenId(0),
  eos_token_id: { ...tokenIds, fallback: [1] },
  decoder_start_token_id: tokenId(0),
  normalize_before: only(true),
  normalize_embedding: only(false),
  add_final_layer_norm: only(true),
  static_position_embeddings: only(true),
};

function open(architecture: string, json: JsonObject): Blueprint {
  const config = readConfig("pegasus", json, fields, bartIgnored);
  const withHead = architecture !== "PegasusModel";
  const traits = { withHead, normFirst: true, embeddingNorm: false, positionOffset: undefined };
  return pairBlueprint(bartModel("pegasus", architecture, config, traits));
}

/**
 * Pegasus: norms first and one more after the last block, sinusoidal positions.
 *
 * Source   arXiv:1912.08777
 */
export const pegasus: Family = {
  name: "pegasus",
  architectures: ["PegasusModel", "PegasusForConditionalGeneration"],
  open,
};
