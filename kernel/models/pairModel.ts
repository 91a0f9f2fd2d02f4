import type { Value } from "../graph/index.js";
import { build } from "../graph/index.js";
import type { Dim } from "../graph/index.js";
import { Tensor } from "../tensor/index.js";
import type { Batch, Blueprint, DecoderSide, GraphContext, InputSpec, TensorSpec } from "./family.js";
import type { PairBlock } from "./pairBlocks.js";
import { pairBlocks } from "./pairBlocks.js";
import type { AttentionStack } from "./attentionStack.js";
import { sequenceOf } from "./stacks.js";
import { causalBias, paddingBias } from "./visibility.js";

/** Sizes of one side. */
export interface PairSide {
  readonly layers: number;
  readonly heads: number;
  readonly headDim: number;
  /** Longest text, in tokens; Infinity where positions are relative. */
  readonly positions: number;
}

/** The biases of a block's attentions: who sees whom. */
export interface PairBiases {
  readonly self: Value;
  readonly cross: Value;
}

/** What a family says about one model with encoder and decoder. */
export interface PairModel
  extends
    Pick<
      Blueprint,
      "family" | "architecture" | "width" | "vocabulary" | "padId" | "tensors" | "canonicalName" | "unembedding"
    >,
    Pick<DecoderSide, "startId" | "startsWithLast" | "features"> {
  readonly encoder: PairSide;
  readonly decoder: PairSide;
  readonly endIds: readonly number[];
  /** What the first block of each side reads, [B,Q,M]. */
  readonly embedded: Readonly<Record<"encoder" | "decoder", (context: GraphContext) => Value>>;
  readonly block: (context: GraphContext, side: "encoder" | "decoder", layer: number, biases: PairBiases) => PairBlock;
  /** Added to the scores of every self-attention of a side: [1,H,Q,K]. */
  readonly positionBias?: (context: GraphContext, side: "encoder" | "decoder") => Value;
  /** The norm after the last block of a side, where there is one. */
  readonly finalNorm?: (context: GraphContext, side: "encoder" | "decoder", x: Value) => Value;
  /** [B,Q,M] → [B,Q,V]; left out for an architecture without a prediction head. */
  readonly logits?: (context: GraphContext, x: Value) => Value;
  /** Inputs beyond tokens and masks, and what is fed to them. */
  readonly extra?: {
    readonly inputs: readonly InputSpec[];
    readonly feeds: (batch: Batch) => Readonly<Record<string, Tensor>>;
  };
}

/** What the encoder leaves for the decoder. */
const memoryName = "encoder_last_hidden_state";

const source = (features: DecoderSide["features"]): Dim => (features ? features.frames / 2 : "source");

function stacksFor({ encoder, decoder }: PairModel): readonly AttentionStack[] {
  const sizes = ({ layers, heads, headDim }: PairSide): Pick<AttentionStack, "layers" | "heads" | "headDim"> => ({
    layers,
    heads,
    headDim,
  });
  const path =
    (blocks: string, attention: string): AttentionStack["path"] =>
    (layer) =>
      `${blocks}.blocks.${layer}.${attention}`;
  return [
    {
      ...{ name: "encoder", ...sizes(encoder), causal: false, path: path("encoder", "attn") },
      ...{ queries: "prompt", keys: "prompt" },
    },
    {
      ...{ name: "decoder", ...sizes(decoder), causal: true, path: path("decoder", "attn") },
      ...{ queries: "decoder", keys: "decoder" },
    },
    {
      ...{ name: "cross", ...sizes(decoder), causal: false, path: path("decoder", "cross_attn") },
      ...{ queries: "decoder", keys: "prompt" },
    },
  ];
}

function side(model: PairModel, which: "encoder" | "decoder", context: GraphContext, memory?: Value): Value {
  const { input } = context;
  const cross = paddingBias(input("attention_mask"));
  const index = input("decoder_index");
  const places = { mask: input("decoder_attention_mask"), queries: index, keys: index };
  const masked = which === "encoder" ? cross : causalBias(places, undefined);
  const placed = model.positionBias?.(context, which);
  const biases = { self: placed ? build.add(placed, masked) : masked, cross };
  const blocks = Array.from({ length: model[which].layers }, (_, layer) => model.block(context, which, layer, biases));
  const stream = pairBlocks(context, which, blocks, model.embedded[which](context), memory);
  return model.finalNorm ? context.tap(`${which}.ln_final`, model.finalNorm(context, which, stream)) : stream;
}

function decoderOutputs(model: PairModel, context: GraphContext, memory: Value): Readonly<Record<string, Value>> {
  const last = side(model, "decoder", context, memory);
  return model.logits ? { logits: model.logits(context, last), last_hidden_state: last } : { last_hidden_state: last };
}

/** Input feeds of encoder and decoder. */
function pairFeeds(batch: Batch): Readonly<Record<string, Tensor>> {
  const { size, features } = batch;
  const rows = (length: number, data: Int32Array): Tensor => new Tensor("int32", [size, length], data);
  const { length, inputIds, attentionMask } = sequenceOf(batch, "decoder");
  return {
    input_ids: rows(batch.length, batch.inputIds),
    attention_mask: rows(batch.length, batch.attentionMask),
    decoder_input_ids: rows(length, inputIds),
    decoder_attention_mask: rows(length, attentionMask),
    decoder_index: rows(
      length,
      Int32Array.from({ length: size * length }, (_, i) => i % length),
    ),
    token_index: rows(
      batch.length,
      Int32Array.from({ length: size * batch.length }, (_, i) => i % batch.length),
    ),
    ...(batch.decoder ? { next_ids: rows(length, batch.decoder.labels) } : {}),
    ...(features ? { input_features: features } : {}),
  };
}

/** The blueprint of a model with encoder and decoder; its own sizes are those of the decoder. */
export function pairBlueprint(model: PairModel): Blueprint {
  const { family, architecture, width, vocabulary, padId, endIds, tensors, canonicalName, extra, features } = model;
  const { layers, heads, headDim } = model.decoder;
  const ids = (name: string, length: Dim): InputSpec => ({ name, dtype: "int32", shape: ["batch", length] });
  const mask = ids("attention_mask", source(features));
  const target = ["decoder_input_ids", "decoder_attention_mask", "decoder_index"].map((name) => ids(name, "target"));
  const memory: InputSpec = { name: memoryName, dtype: "float32", shape: ["batch", source(features), width] };
  const read: readonly InputSpec[] = features
    ? [{ name: "input_features", dtype: "float32", shape: ["batch", features.bins, features.frames] }]
    : [ids("input_ids", "source"), ids("token_index", "source")];
  const more = extra?.inputs ?? [];
  return {
    ...{ family, architecture, layers, heads, headDim, width, vocabulary, padId, endIds, tensors, canonicalName },
    positions: model.encoder.positions,
    tokenTypes: 1,
    causal: false,
    unembedding: model.unembedding,
    stacks: stacksFor(model),
    inputs: [...read, mask, ...target, ...more],
    feeds: (batch) => ({ ...pairFeeds(batch), ...extra?.feeds(batch) }),
    build: (context) => {
      const encoded = side(model, "encoder", context);
      return { ...decoderOutputs(model, context, encoded), [memoryName]: encoded };
    },
    decoder: {
      ...{ startId: model.startId, startsWithLast: model.startsWithLast, positions: model.decoder.positions },
      ...(features ? { features } : {}),
      alone: {
        inputs: [memory, mask, ...target, ...more],
        build: (context) => decoderOutputs(model, context, context.input(memoryName)),
      },
    },
  };
}

/** Linear layers without bias. */
export function weightSpec(name: string, outputs: number, inputs: number): TensorSpec {
  return { name: `${name}.weight`, shape: [outputs, inputs] };
}
