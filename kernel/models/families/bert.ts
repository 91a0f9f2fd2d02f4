import { bertBlueprint, bertFields, bertIgnored, bertSizes, currentNormName } from "../bertEncoder.js";
import { readConfig } from "../config.js";
import type { Blueprint, Family } from "../family.js";
import { arange } from "../feeds.js";
import type { JsonObject } from "../json.js";
import type { MaskedHead } from "../maskedHead.js";

const ignored = [
  ...bertIgnored,
  "directionality",
  "pooler_fc_size",
  "pooler_num_attention_heads",
  "pooler_num_fc_layers",
  "pooler_size_per_head",
  "pooler_type",
];

/** Names without the optional prefix, as checkpoints of today spell them; undefined for what is not used. */
function canonicalName(withHead: boolean, tied: boolean, name: string): string | undefined {
  const current = currentNormName(name.replace(/^bert\./, ""));
  if (current === "embeddings.position_ids" || current.startsWith("cls.seq_relationship.")) return undefined;
  // The head's bias is stored twice by some versions, its unembedding again where it is tied.
  if (current === "cls.predictions.decoder.bias") return undefined;
  if (tied && current === "cls.predictions.decoder.weight") return undefined;
  if (current.startsWith(withHead ? "pooler." : "cls.")) return undefined;
  return current;
}

function open(architecture: string, json: JsonObject): Blueprint {
  const config = readConfig("bert", json, bertFields, ignored);
  const sizes = bertSizes("bert", config);
  const withHead = architecture === "BertForMaskedLM";
  const tied = config.tie_word_embeddings;
  const head: MaskedHead = {
    dense: "cls.predictions.transform.dense",
    norm: "cls.predictions.transform.LayerNorm",
    bias: "cls.predictions.bias",
    unembed: tied ? "embeddings.word_embeddings.weight" : "cls.predictions.decoder.weight",
    tied,
    activation: sizes.activation,
    epsilon: sizes.epsilon,
  };
  return bertBlueprint({
    family: "bert",
    architecture,
    config,
    sizes,
    head: withHead ? head : undefined,
    padId: config.pad_token_id ?? 0,
    positions: config.max_position_embeddings,
    count: arange,
    canonicalName: (name) => canonicalName(withHead, tied, name),
  });
}

/**
 * BERT: post-norm encoder with learned positions and token types; `BertForMaskedLM` adds the prediction head.
 *
 * Range    a query without any visible key attends to every key evenly
 * Source   arXiv:1810.04805
 */
export const bert: Family = { name: "bert", architectures: ["BertModel", "BertForMaskedLM"], open };
