import { bertBlueprint, bertFields, bertIgnored, bertSizes, currentNormName } from "../bertEncoder.js";
import { count, readConfig, tokenId } from "../config.js";
import type { Batch, Blueprint, Family } from "../family.js";
import type { JsonObject } from "../json.js";
import type { MaskedHead } from "../maskedHead.js";

/** Defaults as in transformers' RobertaConfig. */
const fields = { ...bertFields, vocab_size: count(50265), pad_token_id: tokenId(1) };

function canonicalName(withHead: boolean, tied: boolean, name: string): string | undefined {
  const current = currentNormName(name.replace(/^roberta\./, ""));
  if (current === "embeddings.position_ids" || current === "lm_head.decoder.bias") return undefined;
  if (tied && current === "lm_head.decoder.weight") return undefined;
  if (current.startsWith(withHead ? "pooler." : "lm_head.")) return undefined;
  return current;
}

/** Positions count the tokens that are not padding, from the row after the padding's own: `pad + 1, pad + 2, …`. */
function positionIds({ size, length, inputIds }: Batch, padId: number): Int32Array {
  const ids = new Int32Array(size * length);
  for (let b = 0; b < size; b++) {
    let seen = 0;
    for (let t = b * length; t < (b + 1) * length; t++) {
      if (inputIds[t] !== padId) seen++;
      ids[t] = inputIds[t] === padId ? padId : padId + seen;
    }
  }
  return ids;
}

function open(architecture: string, json: JsonObject): Blueprint {
  const config = readConfig("roberta", json, fields, bertIgnored);
  const sizes = bertSizes("roberta", config);
  const withHead = architecture === "RobertaForMaskedLM";
  const tied = config.tie_word_embeddings;
  const padId = config.pad_token_id ?? 1;
  const head: MaskedHead = {
    dense: "lm_head.dense",
    norm: "lm_head.layer_norm",
    bias: "lm_head.bias",
    unembed: tied ? "embeddings.word_embeddings.weight" : "lm_head.decoder.weight",
    tied,
    activation: "gelu",
    epsilon: sizes.epsilon,
  };
  return bertBlueprint({
    family: "roberta",
    architecture,
    config,
    sizes,
    head: withHead ? head : undefined,
    padId,
    // The rows up to the padding's own are never a real token's.
    positions: config.max_position_embeddings - padId - 1,
    count: (batch) => positionIds(batch, padId),
    canonicalName: (name) => canonicalName(withHead, tied, name),
  });
}

/**
 * RoBERTa: BERT's blocks with positions that skip padding ids, whatever the mask says.
 *
 * Source   arXiv:1907.11692
 */
export const roberta: Family = { name: "roberta", architectures: ["RobertaModel", "RobertaForMaskedLM"], open };
