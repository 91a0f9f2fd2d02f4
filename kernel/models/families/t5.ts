import type { Value } from "../../graph/index.js";
import { build } from "../../graph/index.js";
import { UnsupportedError } from "../../tensor/index.js";
import { amount, count, flag, maybe, only, readConfig, tokenId, tokenIds } from "../config.js";
import type { Blueprint, Family, GraphContext, TensorSpec } from "../family.js";
import type { JsonObject } from "../json.js";
import { activations, linear, rmsNorm, splitHeads } from "../layers.js";
import { gatedMlp, mlp } from "../mlp.js";
import type { PairAttention, PairBlock } from "../pairBlocks.js";
import type { PairBiases, PairModel } from "../pairModel.js";
import { pairBlueprint, weightSpec } from "../pairModel.js";
import { bucketFeeds, bucketInputs } from "../relativeBuckets.js";

/** Defaults as in transformers' T5Config. */
const fields = {
  vocab_size: count(32128),
  d_model: count(512),
  d_kv: count(64),
  d_ff: count(2048),
  num_layers: count(6),
  num_decoder_layers: maybe(count()),
  num_heads: count(8),
  relative_attention_num_buckets: count(32),
  relative_attention_max_distance: count(128),
  layer_norm_epsilon: amount(1e-6),
  feed_forward_proj: {
    read: (value: unknown): string | undefined =>
      typeof value === "string" && Object.hasOwn(activations, value.replace(/^gated-/, "")) ? value : undefined,
    fallback: "relu",
    expected: `${Object.keys(activations).join(", ")}, or one of them after "gated-"`,
  },
  tie_word_embeddings: flag(true),
  scale_decoder_outputs: maybe(flag(true)),
  pad_token_id: tokenId(0),
  eos_token_id: { ...tokenIds, fallback: [1] },
  decoder_start_token_id: tokenId(0),
  is_encoder_decoder: only(true),
  is_decoder: only(false),
  add_cross_attention: only(false),
  pruned_heads: only({}),
};

/** Positions are relative: how many the tokenizer expects says nothing. The last three follow from feed_forward_proj. */
const ignored = [
  "bos_token_id", "classifier_dropout", "dropout_rate", "initializer_factor", "max_length", "n_positions",
  "output_past", "dense_act_fn", "is_gated_act", "dropout",
]; // prettier-ignore

const sides = ["encoder", "decoder"] as const;
type Side = (typeof sides)[number];

/** T5's name for the gated GELU means the one with tanh. */
function activationOf(projection: string): string {
  return projection === "gated-gelu" ? "gelu_new" : projection.replace(/^gated-/, "");
}

const prefixOf = (side: Side, layer: number, part: number): string => `${side}.block.${layer}.layer.${part}.`;

const read = (json: JsonObject) => readConfig("t5", json, fields, ignored);
type Config = ReturnType<typeof read>;

function specs(config: Config, layersOf: Readonly<Record<Side, number>>): TensorSpec[] {
  const { d_model: width, d_kv: headDim, d_ff: mlpWidth, num_heads: heads, vocab_size: vocabulary } = config;
  const inner = heads * headDim;
  const gated = config.feed_forward_proj.startsWith("gated-");
  const norm = (prefix: string): TensorSpec => ({ name: `${prefix}layer_norm.weight`, shape: [width] });
  const attention = (prefix: string): TensorSpec[] => [
    ...["q", "k", "v"].map((part) => weightSpec(`${prefix}.${part}`, inner, width)),
    weightSpec(`${prefix}.o`, width, inner),
  ];
  const block = (side: Side, layer: number): TensorSpec[] => {
    const [own, cross, last] = [0, 1, side === "decoder" ? 2 : 1].map((part) => prefixOf(side, layer, part));
    return [
      ...attention(`${own}SelfAttention`),
      ...(layer === 0
        ? [weightSpec(`${own}SelfAttention.relative_attention_bias`, config.relative_attention_num_buckets, heads)]
        : []),
      norm(own),
      ...(side === "decoder" ? [...attention(`${cross}EncDecAttention`), norm(cross)] : []),
      ...(gated ? ["wi_0", "wi_1"] : ["wi"]).map((name) =>
        weightSpec(`${last}DenseReluDense.${name}`, mlpWidth, width),
      ),
      weightSpec(`${last}DenseReluDense.wo`, width, mlpWidth),
      norm(last),
    ];
  };
  return [
    weightSpec("shared", vocabulary, width),
    ...sides.flatMap((side) => [
      ...Array.from({ length: layersOf[side] }, (_, layer) => block(side, layer)).flat(),
      { name: `${side}.final_layer_norm.weight`, shape: [width] },
    ]),
  ];
}

function blockOf(context: GraphContext, config: Config, side: Side, layer: number, biases: PairBiases): PairBlock {
  const { num_heads: heads, layer_norm_epsilon: epsilon, feed_forward_proj: projection } = config;
  const part =
    (name: string) =>
    (x: Value): Value =>
      linear(context, name, x);
  const norm =
    (prefix: string) =>
    (x: Value): Value =>
      rmsNorm(context, `${prefix}layer_norm`, x, epsilon, "plain");
  const attention = (prefix: string, name: string, bias: Value): PairAttention => {
    const [query, key, value] = ["q", "k", "v"].map(
      (of) => (x: Value) => splitHeads(part(`${prefix}${name}.${of}`)(x), heads),
    );
    return { norm: norm(prefix), query, key, value, output: part(`${prefix}${name}.o`), scale: 1, bias };
  };
  const [own, cross, last] = [0, 1, side === "decoder" ? 2 : 1].map((index) => prefixOf(side, layer, index));
  const dense = (name: string): ((x: Value) => Value) => part(`${last}DenseReluDense.${name}`);
  const activation = activationOf(projection);
  return {
    normFirst: true,
    self: attention(own, "SelfAttention", biases.self),
    ...(side === "decoder" ? { cross: attention(cross, "EncDecAttention", biases.cross) } : {}),
    mlpNorm: norm(last),
    mlp: (x, tap) =>
      projection.startsWith("gated-")
        ? gatedMlp(tap, activation, [dense("wi_0")(x), dense("wi_1")(x)], dense("wo"))
        : mlp(tap, activation, dense("wi"), dense("wo"), x),
  };
}

/** Names of today; undefined for what is knowingly left aside. */
function canonicalName(withHead: boolean, name: string): string | undefined {
  // A bias that an early version stored and no version reads.
  if (name === "decoder.block.0.layer.1.EncDecAttention.relative_attention_bias.weight") return undefined;
  if (name === "lm_head.weight" && !withHead) return undefined;
  return /^(encoder|decoder)\.embed_tokens\.weight$/.test(name) ? "shared.weight" : name;
}

function open(architecture: string, json: JsonObject): Blueprint {
  const config = read(json);
  const { d_model: width, d_kv: headDim, num_heads: heads, vocab_size: vocabulary, num_layers: layers } = config;
  const layersOf = { encoder: layers, decoder: config.num_decoder_layers ?? layers };
  const buckets = {
    count: config.relative_attention_num_buckets,
    maxDistance: config.relative_attention_max_distance,
  };
  if (buckets.count % 4 !== 0 || buckets.count / 4 < 1 || buckets.maxDistance <= buckets.count / 2) {
    throw new UnsupportedError(
      `t5: relative_attention_num_buckets = ${buckets.count} is not handled with relative_attention_max_distance ${buckets.maxDistance}; expected a multiple of 4 below twice the distance`,
    );
  }
  const withHead = architecture.endsWith("ForConditionalGeneration") || architecture === "T5WithLMHeadModel";
  const tied = config.tie_word_embeddings;
  // Files before transformers 5 say by the tie alone that the decoder's outputs are scaled.
  const scaled = config.scale_decoder_outputs ?? tied;
  const side = (count: number): PairModel["encoder"] => ({ layers: count, heads, headDim, positions: Infinity });
  const embedded =
    (which: Side, ids: string) =>
    ({ weight, input, tap }: GraphContext): Value =>
      tap(`${which}.embed`, build.gather(weight("shared.weight"), input(ids), 0));
  return pairBlueprint({
    ...{ family: "t5", architecture, width, vocabulary },
    encoder: side(layersOf.encoder),
    decoder: side(layersOf.decoder),
    padId: config.pad_token_id ?? 0,
    endIds: config.eos_token_id,
    startId: config.decoder_start_token_id ?? config.pad_token_id ?? undefined,
    startsWithLast: false,
    tensors: [
      ...specs(config, layersOf),
      // A stored unembedding is followed whatever the config says of a tie.
      ...(withHead ? [{ ...weightSpec("lm_head", vocabulary, width), optional: tied }] : []),
    ],
    canonicalName: (name) => canonicalName(withHead, name),
    unembedding: withHead ? "lm_head" : undefined,
    embedded: {
      encoder: embedded("encoder", "input_ids"),
      decoder: embedded("decoder", "decoder_input_ids"),
    },
    block: (context, which, layer, biases) => blockOf(context, config, which, layer, biases),
    positionBias: ({ weight, input, tap }, which) => {
      const table = weight(`${prefixOf(which, 0, 0)}SelfAttention.relative_attention_bias.weight`);
      const rows = build.gather(table, input(`${which}_buckets`), 0); // [Q,K,H]
      return tap(`${which}.position_bias`, build.unsqueeze(build.transpose(rows, [2, 0, 1]), [0])); // [1,H,Q,K]
    },
    finalNorm: (context, which, x) =>
      rmsNorm(context, `${which}.final_layer_norm`, x, config.layer_norm_epsilon, "plain"),
    ...(withHead
      ? {
          logits: ({ weight, has }: GraphContext, x: Value) => {
            const read = scaled ? build.mul(x, 1 / Math.sqrt(width)) : x;
            const unembed = weight(has("lm_head.weight") ? "lm_head.weight" : "shared.weight");
            return build.matMul(read, build.transpose(unembed, [1, 0]));
          },
        }
      : {}),
    extra: { inputs: bucketInputs, feeds: (batch) => bucketFeeds(batch, buckets) },
  });
}

/**
 * T5: relative positions as a bias that all layers of a side share, scores without a scale, root-mean-square norms
 * first; v1.1 and Flan with a gated MLP and an unembedding of their own.
 *
 * Source   arXiv:1910.10683 §2.1; the gated MLP arXiv:2002.05202 §2
 */
export const t5: Family = {
  name: "t5",
  architectures: ["T5Model", "T5ForConditionalGeneration", "T5WithLMHeadModel"],
  open,
};
