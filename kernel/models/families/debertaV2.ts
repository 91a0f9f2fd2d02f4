import type { Value } from "../../graph/index.js";
import { build } from "../../graph/index.js";
import { UnsupportedError } from "../../tensor/index.js";
import type { AttentionTerms } from "../attention.js";
import type { Field } from "../config.js";
import { amount, choice, count, flag, maybe, only, readConfig, tokenId } from "../config.js";
import type { RelativeSpan } from "../disentangled.js";
import { relativeScores } from "../disentangled.js";
import type { Blueprint, Family, GraphContext, TensorSpec } from "../family.js";
import { arange, tokenFeeds } from "../feeds.js";
import type { JsonObject } from "../json.js";
import { activations, layerNorm, linear, splitHeads } from "../layers.js";
import type { MaskedHead } from "../maskedHead.js";
import { maskedHeadSpecs, maskedLogits } from "../maskedHead.js";
import type { EncoderSizes } from "../postNormEncoder.js";
import { encoderSpecs, linearSpecs, normSpecs, postNormEncoder } from "../postNormEncoder.js";
import { hiddenPairs } from "../visibility.js";

type Kind = "c2p" | "p2c";

/** A list, or words with bars between them. */
const positionKinds: Field<readonly Kind[]> = {
  read: (value) => {
    const words: readonly unknown[] | undefined =
      typeof value === "string"
        ? value.split("|").map((word) => word.trim())
        : Array.isArray(value)
          ? (value as unknown[])
          : value === null
            ? []
            : undefined;
    return words?.every((word) => word === "c2p" || word === "p2c") ? words : undefined;
  },
  fallback: [],
  expected: 'a list of "c2p", "p2c"',
};

/** A whole number; −1 for none. */
const size: Field<number> = {
  read: (value) => (Number.isSafeInteger(value) && (value as number) >= -1 ? (value as number) : undefined),
  fallback: -1,
  expected: "a whole number of at least −1",
};

const activation = choice(Object.keys(activations), "gelu");

/** Defaults as in transformers' DebertaV2Config. */
const fields = {
  vocab_size: count(128100),
  hidden_size: count(1536),
  num_hidden_layers: count(24),
  num_attention_heads: count(24),
  intermediate_size: count(6144),
  hidden_act: activation,
  max_position_embeddings: count(512),
  type_vocab_size: { ...size, fallback: 0 },
  layer_norm_eps: amount(1e-7),
  pad_token_id: tokenId(0),
  relative_attention: flag(false),
  max_relative_positions: size,
  position_buckets: size,
  norm_rel_ebd: choice(["none", "layer_norm"], "none"),
  share_att_key: flag(false),
  pos_att_type: positionKinds,
  position_biased_input: flag(true),
  conv_kernel_size: { ...size, fallback: 0 },
  conv_act: choice(Object.keys(activations), "tanh"),
  conv_groups: only(1),
  embedding_size: maybe(count()),
  attention_head_size: maybe(count()),
  legacy: flag(true),
  tie_word_embeddings: only(true),
};

const ignored = [
  "attention_probs_dropout_prob", "bos_token_id", "cls_dropout", "eos_token_id", "hidden_dropout_prob", "padding_idx",
  "pooler_dropout", "pooler_hidden_act", "pooler_hidden_size", "summary_activation",
]; // prettier-ignore

/** What adds relative positions to the scores of one layer. */
type Terms = (layer: number, q: Value, k: Value) => AttentionTerms;

function open(architecture: string, json: JsonObject): Blueprint {
  const config = readConfig("debertaV2", json, fields, ignored);
  const { hidden_size: width, num_attention_heads: heads, num_hidden_layers: layers } = config;
  const { vocab_size: vocabulary, max_position_embeddings: positions, layer_norm_eps: epsilon } = config;
  const headDim = width / heads;
  if (!Number.isInteger(headDim) || (config.attention_head_size ?? headDim) !== headDim) {
    throw new UnsupportedError(
      `debertaV2: attention_head_size must be hidden_size over num_attention_heads, got ${config.attention_head_size ?? "none"} (${width} and ${heads})`,
    );
  }
  if ((config.embedding_size ?? width) !== width) {
    throw new UnsupportedError(
      `debertaV2: embedding_size other than hidden_size is not handled; expected ${width}, got ${config.embedding_size}`,
    );
  }
  const {
    conv_kernel_size: kernel,
    relative_attention: isRelative,
    pos_att_type: kinds,
    share_att_key: shared,
  } = config;
  if (kernel > 0 && kernel % 2 === 0) {
    throw new UnsupportedError(`debertaV2: conv_kernel_size must be odd, got ${kernel}`);
  }
  const farthest = config.max_relative_positions < 1 ? positions : config.max_relative_positions;
  const buckets = config.position_buckets > 0 ? config.position_buckets : undefined;
  const relative: RelativeSpan = { span: buckets ?? farthest, buckets, farthest };
  const [withHead, normed] = [architecture === "DebertaV2ForMaskedLM", config.norm_rel_ebd === "layer_norm"];
  const sizes: EncoderSizes = {
    ...{ layers, heads, width, epsilon },
    mlpWidth: config.intermediate_size,
    activation: config.hidden_act,
    block: (layer) => `encoder.layer.${layer}`,
    names: {
      query: "attention.self.query_proj",
      key: "attention.self.key_proj",
      value: "attention.self.value_proj",
      output: "attention.output.dense",
      attentionNorm: "attention.output.LayerNorm",
      mlpIn: "intermediate.dense",
      mlpOut: "output.dense",
      mlpNorm: "output.LayerNorm",
    },
  };
  const headNames = config.legacy
    ? { dense: "transform.dense", norm: "transform.LayerNorm", prefix: "cls.predictions." }
    : { dense: "dense", norm: "LayerNorm", prefix: "lm_predictions.lm_head." };
  const head: MaskedHead = {
    dense: headNames.prefix + headNames.dense,
    norm: headNames.prefix + headNames.norm,
    bias: `${headNames.prefix}bias`,
    unembed: "embeddings.word_embeddings.weight",
    tied: true,
    activation: sizes.activation,
    epsilon,
  };
  const ownProjections = isRelative && !shared ? kinds.map((kind) => (kind === "c2p" ? "pos_key" : "pos_query")) : [];
  const tensors: TensorSpec[] = [
    { name: "embeddings.word_embeddings.weight", shape: [vocabulary, width] },
    ...(config.position_biased_input
      ? [{ name: "embeddings.position_embeddings.weight", shape: [positions, width] }]
      : []),
    ...(config.type_vocab_size > 0
      ? [{ name: "embeddings.token_type_embeddings.weight", shape: [config.type_vocab_size, width] }]
      : []),
    ...normSpecs("embeddings.LayerNorm", width),
    ...encoderSpecs(sizes),
    ...Array.from({ length: layers }, (_, layer) => `${sizes.block(layer)}.attention.self.`).flatMap((prefix) =>
      ownProjections.flatMap((name) => linearSpecs(`${prefix}${name}_proj`, width, width)),
    ),
    ...(isRelative ? [{ name: "encoder.rel_embeddings.weight", shape: [2 * relative.span, width] }] : []),
    ...(normed ? normSpecs("encoder.LayerNorm", width) : []),
    ...(kernel > 0
      ? [
          { name: "encoder.conv.conv.weight", shape: [width, width, kernel] },
          { name: "encoder.conv.conv.bias", shape: [width] },
          ...normSpecs("encoder.conv.LayerNorm", width),
        ]
      : []),
    ...(withHead ? maskedHeadSpecs(head, width, vocabulary) : []),
  ];
  const known = new Set(tensors.map(({ name }) => name));

  const termsOf = (context: GraphContext): Terms => {
    const scale = 1 / Math.sqrt(headDim * (1 + kinds.length));
    const hidden = hiddenPairs(context.input("attention_mask"));
    if (!isRelative) return () => ({ scale, hidden });
    const table = context.weight("encoder.rel_embeddings.weight");
    const rows = build.unsqueeze(normed ? layerNorm(context, "encoder.LayerNorm", table, epsilon) : table, [0]);
    const scores = relativeScores(context.input("token_index"), positions, relative);
    return (layer, q, k) => {
      const prefix = `${sizes.block(layer)}.attention.self.${shared ? "" : "pos_"}`;
      const projected = (part: string): Value => splitHeads(linear(context, `${prefix}${part}_proj`, rows), heads);
      const parts = kinds.map((kind) =>
        kind === "c2p" ? scores.byQuery(q, projected("key")) : scores.byKey(k, projected("query")),
      );
      return { scale, hidden, bias: parts.length > 0 ? build.mul(parts.reduce(build.add), scale) : undefined };
    };
  };

  /** Adds a convolution over the embeddings to what the first block wrote; padding becomes 0. */
  const convolved = (context: GraphContext, embedded: Value, mask: Value, x: Value): Value => {
    const { weight, input } = context;
    const place = build.squeeze(build.slice(input("token_index"), 0, 0, 1), [0]); // [T]
    const length = build.add(build.reduceMax(place), 1);
    const taps = Array.from({ length: kernel }, (_, i) => {
      const at = build.add(place, i - (kernel - 1) / 2);
      const outside = build.or(build.less(at, 0), build.not(build.less(at, length)));
      const inside = build.unsqueeze(build.sub(1, build.cast(outside, "float32")), [1]); // [T,1]
      const shifted = build.mul(build.gather(embedded, build.where(outside, 0, at), 1), inside); // [B,T,M]
      const matrix = build.squeeze(build.slice(weight("encoder.conv.conv.weight"), 2, i, i + 1), [2]);
      return build.matMul(shifted, build.transpose(matrix, [1, 0]));
    });
    const sum = build.add(taps.reduce(build.add), weight("encoder.conv.conv.bias"));
    const added = context.tap("conv_out", activations[config.conv_act](build.mul(sum, mask)));
    return build.mul(layerNorm(context, "encoder.conv.LayerNorm", build.add(x, added), epsilon), mask);
  };

  return {
    family: "debertaV2",
    ...{ architecture, layers, heads, headDim, width, vocabulary, positions },
    tokenTypes: Math.max(config.type_vocab_size, 1),
    causal: false,
    padId: config.pad_token_id ?? 0,
    tensors,
    canonicalName: (name) => {
      const current = name.replace(/^deberta\./, "");
      // Heads of the training, buffers, tied copies, and positions that the model was trained without.
      const isSpare =
        /^(cls|lm_predictions|mask_predictions|embeddings\.position_ids|embeddings\.position_embeddings)\b/;
      return !known.has(current) && isSpare.test(current) ? undefined : current;
    },
    inputs: ["input_ids", "attention_mask", "token_type_ids", "position_ids", "token_index"],
    feeds: (batch) => tokenFeeds(batch, arange(batch)),
    build: (context) => {
      const { weight, input, tap } = context;
      const rows = (table: string, ids: string): Value =>
        build.gather(weight(`embeddings.${table}.weight`), input(ids), 0);
      const mask = build.unsqueeze(build.cast(input("attention_mask"), "float32"), [2]); // [B,T,1]
      const parts = [
        tap("embed", rows("word_embeddings", "input_ids")),
        ...(config.position_biased_input ? [tap("pos_embed", rows("position_embeddings", "position_ids"))] : []),
        ...(config.type_vocab_size > 0
          ? [tap("token_type_embed", rows("token_type_embeddings", "token_type_ids"))]
          : []),
      ];
      const embedded = build.mul(layerNorm(context, "embeddings.LayerNorm", parts.reduce(build.add), epsilon), mask);
      const hidden = postNormEncoder(context, sizes, embedded, undefined, {
        terms: termsOf(context),
        written: (layer, x) => (layer === 0 && kernel > 0 ? convolved(context, embedded, mask, x) : x),
      });
      return withHead
        ? { logits: maskedLogits(context, head, hidden), last_hidden_state: hidden }
        : { last_hidden_state: hidden };
    },
  };
}

/**
 * DeBERTa v2 and v3: scores of content against content, of content against relative position and the reverse; an
 * optional convolution beside the first block.
 *
 * Range    a query that is padding, or that sees no key, attends to every key evenly
 * Source   arXiv:2006.03654 §3, arXiv:2111.09543
 */
export const debertaV2: Family = {
  name: "debertaV2",
  architectures: ["DebertaV2Model", "DebertaV2ForMaskedLM"],
  open,
};
