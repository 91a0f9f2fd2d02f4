import type { Value } from "../../graph/index.js";
import { build } from "../../graph/index.js";
import { bartBlock, bartBlockSpecs, bartSide } from "../bartModel.js";
import { choice, count, flag, maybe, only, readConfig, tokenId, tokenIds } from "../config.js";
import type { Blueprint, Family, GraphContext, TensorSpec } from "../family.js";
import type { JsonObject } from "../json.js";
import { activations, layerNorm, linear } from "../layers.js";
import { pairBlueprint } from "../pairModel.js";
import { normSpecs } from "../postNormEncoder.js";

/** Defaults as in transformers' WhisperConfig. */
const fields = {
  vocab_size: count(51865),
  num_mel_bins: count(80),
  d_model: count(384),
  encoder_layers: count(4),
  decoder_layers: count(4),
  encoder_attention_heads: count(6),
  decoder_attention_heads: count(6),
  encoder_ffn_dim: count(1536),
  decoder_ffn_dim: count(1536),
  max_source_positions: count(1500),
  max_target_positions: count(448),
  activation_function: choice(Object.keys(activations), "gelu"),
  scale_embedding: flag(false),
  tie_word_embeddings: flag(true),
  pad_token_id: tokenId(50256),
  eos_token_id: { ...tokenIds, fallback: [50256] },
  decoder_start_token_id: tokenId(50257),
  num_hidden_layers: maybe(count()),
  is_encoder_decoder: only(true),
  is_decoder: only(false),
  add_cross_attention: only(false),
  pruned_heads: only({}),
};

/** Attributes that only training, classification, time stamps and the search of generation read. */
const ignored = [
  "activation_dropout", "alignment_heads", "apply_spec_augment", "attention_dropout", "begin_suppress_tokens",
  "bos_token_id", "classifier_proj_size", "decoder_layerdrop", "dropout", "encoder_layerdrop", "forced_decoder_ids",
  "init_std", "mask_feature_length", "mask_feature_min_masks", "mask_feature_prob", "mask_time_length",
  "mask_time_min_masks", "mask_time_prob", "max_length", "median_filter_width", "suppress_tokens",
  "use_weighted_layer_sum",
]; // prettier-ignore

/** The config has no attribute for it: PyTorch's default holds. */
const epsilon = 1e-5;

/** Frames that one step of a convolution sees. */
const kernelSize = 3;

function convolutionSpecs(name: string, outputs: number, inputs: number): TensorSpec[] {
  return [
    { name: `${name}.weight`, shape: [outputs, inputs, kernelSize] },
    { name: `${name}.bias`, shape: [outputs] },
  ];
}

/**
 * A convolution over time, silence before the first frame and after the last.
 *
 *   y[t] = b + Σ_j W[·,·,j] · x[stride · t + j − 1],  j = 0, 1, 2
 *
 * Shapes   x [B,F,C] → [B,F/stride,D]
 */
function convolution({ weight }: GraphContext, name: string, x: Value, stride: 1 | 2): Value {
  const [batch, frames, channels] = x.shape as [string, number, number];
  const silence = build.expand(build.scalar(0), [batch, 1, channels]);
  const padded = build.concat([silence, x, silence], 1); // [B,F+2,C]
  const steps = Array.from({ length: kernelSize }, (_, j) => {
    const seen = build.slice(padded, 1, j, j + frames);
    if (stride === 1) return seen;
    const pairs = build.reshape(seen, [batch, frames / 2, 2, channels]);
    return build.squeeze(build.slice(pairs, 2, 0, 1), [2]); // every other frame
  });
  const stored = weight(`${name}.weight`); // [D,C,3]
  const [outputs] = stored.shape as [number];
  const kernel = build.reshape(build.transpose(stored, [2, 1, 0]), [kernelSize * channels, outputs]);
  return build.add(build.matMul(build.concat(steps, 2), kernel), weight(`${name}.bias`));
}

function open(architecture: string, json: JsonObject): Blueprint {
  const config = readConfig("whisper", json, fields, ignored);
  const { d_model: width, vocab_size: vocabulary, num_mel_bins: bins, activation_function: activation } = config;
  const { max_source_positions: heard, max_target_positions: written } = config;
  const sizes = {
    encoder: bartSide("whisper", width, config.encoder_layers, config.encoder_attention_heads, heard),
    decoder: bartSide("whisper", width, config.decoder_layers, config.decoder_attention_heads, written),
  };
  const withHead = architecture === "WhisperForConditionalGeneration";
  return pairBlueprint({
    ...{ family: "whisper", architecture, width, vocabulary, ...sizes },
    padId: config.pad_token_id ?? 0,
    endIds: config.eos_token_id,
    startId: config.decoder_start_token_id ?? undefined,
    startsWithLast: false,
    features: { bins, frames: 2 * heard },
    tensors: [
      ...convolutionSpecs("encoder.conv1", width, bins),
      ...convolutionSpecs("encoder.conv2", width, width),
      { name: "encoder.embed_positions.weight", shape: [heard, width] },
      { name: "decoder.embed_tokens.weight", shape: [vocabulary, width] },
      { name: "decoder.embed_positions.weight", shape: [written, width] },
      ...(["encoder", "decoder"] as const).flatMap((side) => [
        ...bartBlockSpecs(side, sizes[side], width, config[`${side}_ffn_dim`], false),
        ...normSpecs(`${side}.layer_norm`, width),
      ]),
      // A tied unembedding is stored again by some versions.
      ...(withHead
        ? [{ name: "proj_out.weight", shape: [vocabulary, width], optional: config.tie_word_embeddings }]
        : []),
    ],
    canonicalName: (name) => {
      const current = name.replace(/^model\./, "");
      return current === "proj_out.weight" && !withHead ? undefined : current;
    },
    unembedding: withHead ? "proj_out" : undefined,
    embedded: {
      encoder: (context) => {
        const { input, tap, weight } = context;
        const act = activations[activation];
        const heardFrames = build.transpose(input("input_features"), [0, 2, 1]); // [B,F,C]
        const first = tap("encoder.conv1", act(convolution(context, "encoder.conv1", heardFrames, 1)));
        const second = tap("encoder.conv2", act(convolution(context, "encoder.conv2", first, 2)));
        return build.add(second, tap("encoder.pos_embed", weight("encoder.embed_positions.weight")));
      },
      decoder: ({ input, tap, weight }) => {
        const rows = build.gather(weight("decoder.embed_tokens.weight"), input("decoder_input_ids"), 0);
        const embed = tap("decoder.embed", config.scale_embedding ? build.mul(rows, Math.sqrt(width)) : rows);
        const places = build.gather(weight("decoder.embed_positions.weight"), input("decoder_index"), 0);
        return build.add(embed, tap("decoder.pos_embed", places));
      },
    },
    block: (context, side, layer, biases) => bartBlock(context, side, layer, sizes[side], activation, true, biases),
    finalNorm: (context, side, x) => layerNorm(context, `${side}.layer_norm`, x, epsilon),
    ...(withHead
      ? {
          logits: (context: GraphContext, x: Value) =>
            linear(context, context.has("proj_out.weight") ? "proj_out" : "decoder.embed_tokens", x),
        }
      : {}),
  });
}

/**
 * Whisper: two convolutions over a log-mel spectrogram, norms first and one more after the last block; keys have no
 * bias.
 *
 * Source   arXiv:2212.04356 §2.2
 */
export const whisper: Family = {
  name: "whisper",
  architectures: ["WhisperModel", "WhisperForConditionalGeneration"],
  open,
};
