import type { Tensor } from "../tensor/index.js";
import { checkOptions, OptionError, UnsupportedError } from "../tensor/index.js";
import type { Batch, Blueprint } from "./family.js";
import type { PictureSource } from "./pictures/picture.js";
import type { Rows } from "./rows.js";
import { checkedIds, checkedRows, flatten, longest, sameLengths } from "./rows.js";
import type { Tokenized, Tokenizer } from "./tokenizer.js";

/**
 * Token ids given by hand. Rows of different lengths are padded on the right, and the padding is masked.
 *
 * An encoder–decoder model reads one of `inputIds`, `text` and `inputFeatures`, and for its decoder `decoderInputIds`,
 * `labels` or `targetText`; from the last two the decoder's tokens are made by shifting them right.
 */
export interface ModelInput {
  /** [batch, query] */
  readonly inputIds?: Rows;
  /** [batch, query]: 1 real, 0 padding; all real when left out, whatever the ids. */
  readonly attentionMask?: Rows;
  /** [batch, query]; all 0 when left out. */
  readonly tokenTypeIds?: Rows;
  /**
   * [batch, query]; counted by the model when left out: 0, 1, 2 … with padding counted, except where its family counts
   * otherwise. For a prompt with padding on its left, positions that count real tokens only are given here.
   */
  readonly positionIds?: Rows;
  /** [batch, target]: tokens of the decoder, its start token first. */
  readonly decoderInputIds?: Rows;
  /** [batch, target]: 1 real, 0 padding; all real when left out, but for what pads rows of different lengths. */
  readonly decoderAttentionMask?: Rows;
  /** [batch, target]: the token that each position is to predict, −100 for none: the loss is over these. */
  readonly labels?: Rows;
  /** What the encoder of a speech model reads, [batch, bins, frames]: see `audioFeatures`. */
  readonly inputFeatures?: Tensor;
  /** What a model that sees reads of pictures, [picture, channel, height, width]: see `Model.pixelValues`. */
  readonly pixelValues?: Tensor;
  /** Pictures to make pixel values of, as the model's preprocessor_config.json says. */
  readonly images?: PictureSource | readonly PictureSource[];
  /** One prompt per row of the batch, for the encoder. */
  readonly text?: string | readonly string[];
  /** What the decoder is to write for each prompt. */
  readonly targetText?: string | readonly string[];
}

/** A batch and what it was made from. */
export interface Prepared {
  readonly batch: Batch;
  /** Per prompt; undefined where token ids were given. */
  readonly texts: readonly (string | undefined)[];
}

function batchOf(blueprint: Blueprint, { inputIds, attentionMask, tokenTypeIds, positionIds }: ModelInput): Batch {
  const { padId, positions, tokenTypes, inputs, architecture } = blueprint;
  if (positionIds && !inputs.includes("position_ids")) {
    throw new OptionError(`run: ${architecture} has no position ids; leave positionIds out`);
  }
  const ids = checkedIds("inputIds", inputIds, "prompt", blueprint);
  const mask = attentionMask ? checkedRows("attentionMask", attentionMask, 2) : ids.map((row) => row.map(() => 1));
  const types = tokenTypeIds
    ? checkedRows("tokenTypeIds", tokenTypeIds, tokenTypes)
    : ids.map((row) => row.map(() => 0));
  sameLengths("attentionMask", mask, ids);
  sameLengths("tokenTypeIds", types, ids);
  const places = positionIds ? checkedRows("positionIds", positionIds, positions) : undefined;
  if (places) sameLengths("positionIds", places, ids);
  const length = blueprint.fixedLength ?? longest(ids);
  return {
    size: ids.length,
    length,
    inputIds: flatten(ids, length, padId),
    attentionMask: flatten(mask, length, 0),
    tokenTypeIds: flatten(types, length, 0),
    positionIds: places && flatten(places, length, 0),
  };
}

/** Fields that only a model with a decoder of its own reads. */
const ofPairs = ["decoderInputIds", "decoderAttentionMask", "labels", "inputFeatures", "text", "targetText"];

/**
 * Prompts as a tokenizer reads them.
 *
 * Throws   OptionError on anything but texts; UnsupportedError without a tokenizer
 */
export function encodeTexts(value: unknown, tokenizer: Tokenizer | undefined): readonly Tokenized[] {
  const texts: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (texts.length === 0) throw new OptionError("run: expected at least one prompt, got an empty list");
  if (!tokenizer) throw new UnsupportedError("run: this model has no tokenizer; pass { inputIds } instead of text");
  return texts.map((text, i) => {
    if (typeof text !== "string")
      throw new OptionError(`run: prompt ${i} must be text, got ${text === null ? "null" : typeof text}`);
    if (text.trim() === "") throw new OptionError(`run: prompt ${i} is empty`);
    return tokenizer.encode(text);
  });
}

/**
 * A batch from prompts or token ids, padded to the longest of them.
 *
 * Throws   OptionError, ShapeError or UnsupportedError on anything that the model cannot run as it stands
 */
export function prepare(
  input: string | readonly string[] | ModelInput,
  blueprint: Blueprint,
  tokenizer: Tokenizer | undefined,
): Prepared {
  const value: unknown = input;
  if (typeof value !== "string" && !Array.isArray(value)) {
    if (typeof value !== "object" || value === null) {
      throw new OptionError(
        `run: expected a prompt, a list of prompts or { inputIds }, got ${value === null ? "null" : typeof value}`,
      );
    }
    const foreign = Object.keys(value).find((name) => ofPairs.includes(name));
    if (foreign !== undefined) {
      throw new OptionError(
        `run: ${foreign} is for encoder–decoder models, but ${blueprint.architecture} is none; pass a prompt or { inputIds }`,
      );
    }
    checkOptions("run", value, ["inputIds", "attentionMask", "tokenTypeIds", "positionIds"]);
    const batch = batchOf(blueprint, value);
    return { batch, texts: new Array<undefined>(batch.size).fill(undefined) };
  }
  const texts = typeof value === "string" ? [value] : (value as readonly string[]);
  const encoded = encodeTexts(texts, tokenizer);
  const batch = batchOf(blueprint, {
    inputIds: encoded.map(({ ids }) => ids),
    attentionMask: encoded.map(({ ids }) => ids.map(() => 1)),
    tokenTypeIds: encoded.map(({ tokenTypeIds }) => tokenTypeIds),
  });
  return { batch, texts };
}
