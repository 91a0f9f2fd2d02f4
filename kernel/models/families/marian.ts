import { UnsupportedError } from "../../tensor/index.js";
import { bartFields, bartIgnored, bartModel } from "../bartModel.js";
import { count, maybe, only, readConfig, tokenId, tokenIds } from "../config.js";
import type { Blueprint, Family } from "../family.js";
import type { JsonObject } from "../json.js";
import { pairBlueprint } from "../pairModel.js";

/** Defaults as in transformers' MarianConfig. */
const fields = {
  ...bartFields,
  vocab_size: count(58101),
  decoder_vocab_size: maybe(count()),
  share_encoder_decoder_embeddings: only(true),
  pad_token_id: tokenId(58100),
  eos_token_id: { ...tokenIds, fallback: [0] },
  decoder_start_token_id: tokenId(58100),
  normalize_before: only(false),
  normalize_embedding: only(false),
  add_final_layer_norm: only(false),
  static_position_embeddings: only(true),
};

function open(architecture: string, json: JsonObject): Blueprint {
  const config = readConfig("marian", json, fields, bartIgnored);
  const { vocab_size: vocabulary, decoder_vocab_size: written } = config;
  if ((written ?? vocabulary) !== vocabulary) {
    throw new UnsupportedError(
      `marian: decoder_vocab_size = ${written} is not handled; expected vocab_size ${vocabulary}`,
    );
  }
  const withHead = architecture !== "MarianModel";
  const traits = { withHead, normFirst: false, embeddingNorm: false, positionOffset: undefined };
  return pairBlueprint(bartModel("marian", architecture, config, traits));
}

/**
 * Marian: the original transformer, norms after each sum and sinusoidal positions.
 *
 * Source   arXiv:1804.00344; arXiv:1706.03762 §3
 */
export const marian: Family = { name: "marian", architectures: ["MarianModel", "MarianMTModel"], open };
