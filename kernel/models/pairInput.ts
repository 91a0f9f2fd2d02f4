import { checkOptions, formatShape, OptionError, ShapeError, Tensor, UnsupportedError } from "../tensor/index.js";
import type { Batch, Blueprint, DecoderBatch, DecoderSide } from "./family.js";
import { nextIds } from "./feeds.js";
import type { ModelInput, Prepared } from "./input.js";
import { encodeTexts } from "./input.js";
import { checkedIds, checkedRows, flatten, longest, sameLengths } from "./rows.js";
import type { Tokenizer } from "./tokenizer.js";

/** A model with encoder and decoder. */
type Pair = Blueprint & { readonly decoder: DecoderSide };

const fields = [
  "inputIds", "attentionMask", "decoderInputIds", "decoderAttentionMask", "labels", "inputFeatures", "text",
  "targetText",
] as const; // prettier-ignore

/** A label that counts for nothing, as transformers writes it. */
const unlabelled = -100;

type EncoderSide = Pick<Batch, "size" | "length" | "inputIds" | "attentionMask" | "features"> & {
  readonly texts: readonly (string | undefined)[];
};

/**
 * Whether one field is there, of some that exclude each other.
 *
 * Throws   OptionError where two are
 */
function oneOf(value: ModelInput, ...names: readonly (keyof ModelInput)[]): keyof ModelInput | undefined {
  const [given, other] = names.filter((name) => value[name] !== undefined);
  if (other !== undefined) throw new OptionError(`run: expected either ${given} or ${other}, got both`);
  return given;
}

/** Features of sounds; each pair of frames is one position of the encoder. */
function featureSide(features: unknown, { decoder, padId, architecture }: Pair): EncoderSide {
  const wanted = decoder.features;
  if (!wanted)
    throw new OptionError(`run: ${architecture} reads text; pass it or { inputIds } instead of inputFeatures`);
  const { bins, frames } = wanted;
  if (!(features instanceof Tensor))
    throw new OptionError(`run: inputFeatures must be a Tensor, got ${typeof features}`);
  const { shape, dtype } = features;
  if (shape.length !== 3 || shape[0] < 1 || shape[1] !== bins || shape[2] !== frames) {
    throw new ShapeError(
      `run: inputFeatures of ${architecture} must have the shape [batch,${bins},${frames}], got ${formatShape(shape)}`,
    );
  }
  if (dtype !== "float32") throw new OptionError(`run: inputFeatures must be float32, got ${dtype}`);
  const [size, length] = [shape[0], frames / 2];
  return {
    ...{ size, length, features },
    inputIds: new Int32Array(size * length).fill(padId),
    attentionMask: new Int32Array(size * length).fill(1),
    texts: new Array<undefined>(size).fill(undefined),
  };
}

function encoderSide(value: ModelInput, blueprint: Pair, tokenizer: Tokenizer | undefined): EncoderSide {
  const given = oneOf(value, "text", "inputIds", "inputFeatures");
  const { decoder, architecture, padId } = blueprint;
  if (given === undefined || (decoder.features && given !== "inputFeatures")) {
    const expected = decoder.features ? "{ inputFeatures }" : "text or { inputIds }";
    throw new OptionError(`run: ${architecture} reads ${expected}, got ${given ?? "none of them"}`);
  }
  if (given !== "inputIds" && value.attentionMask !== undefined) {
    throw new OptionError(`run: attentionMask belongs to inputIds, got ${given}`);
  }
  if (given === "inputFeatures") return featureSide(value.inputFeatures, blueprint);
  const texts = typeof value.text === "string" ? [value.text] : value.text;
  const rows = given === "text" ? encodeTexts(texts, tokenizer).map(({ ids }) => ids) : value.inputIds;
  const ids = checkedIds("inputIds", rows, "prompt", blueprint);
  const mask = value.attentionMask
    ? checkedRows("attentionMask", value.attentionMask, 2)
    : ids.map((row) => row.map(() => 1));
  sameLengths("attentionMask", mask, ids);
  const length = longest(ids);
  return {
    ...{ size: ids.length, length },
    inputIds: flatten(ids, length, padId),
    attentionMask: flatten(mask, length, 0),
    texts: texts ?? new Array<undefined>(ids.length).fill(undefined),
  };
}

/** What a decoder reads to predict these labels: its start, then all of them but the last. */
function shiftedRight(labels: readonly (readonly number[])[], { decoder, padId, architecture }: Pair): number[][] {
  const { startId, startsWithLast } = decoder;
  if (startId === undefined && !startsWithLast) throw new UnsupportedError(`run: ${missingStart(architecture)}`);
  return labels.map((row) => {
    const last = row.filter((id) => id !== unlabelled).at(-1) ?? padId;
    const ids = row.slice(0, -1).map((id) => (id === unlabelled ? padId : id));
    return [startsWithLast ? last : startId!, ...ids];
  });
}

function missingStart(architecture: string): string {
  return `the config of ${architecture} names no decoder_start_token_id; pass decoderInputIds with the token that starts a text first`;
}

/** The decoder's start alone, for each prompt. */
function startOnly(size: number, { decoder, architecture }: Pair): number[][] {
  const { startId } = decoder;
  if (startId === undefined) throw new UnsupportedError(`run: ${missingStart(architecture)}`);
  return Array.from({ length: size }, () => [startId]);
}

function decoderSide(
  value: ModelInput,
  size: number,
  startsAlone: boolean,
  blueprint: Pair,
  tokenizer: Tokenizer | undefined,
): DecoderBatch {
  const { vocabulary, padId, architecture } = blueprint;
  oneOf(value, "targetText", "decoderInputIds");
  oneOf(value, "targetText", "labels");
  const targets = value.targetText === undefined ? undefined : encodeTexts(value.targetText, tokenizer);
  const given = targets?.map(({ ids }) => ids) ?? value.labels;
  const labels =
    given === undefined
      ? undefined
      : checkedRows("labels", given, vocabulary, unlabelled).map((row, b) =>
          row.map((id, t) => {
            if (id >= 0 || id === unlabelled) return id;
            throw new OptionError(`run: labels[${b}][${t}] must be a token id, or −100 for none, got ${id}`);
          }),
        );
  if (value.decoderInputIds === undefined && labels === undefined && !startsAlone) {
    throw new OptionError(
      `run: ${architecture} reads decoderInputIds besides ${value.inputFeatures ? "inputFeatures" : "inputIds"}; pass them, or labels or targetText to make them from`,
    );
  }
  const rows =
    value.decoderInputIds ?? (labels === undefined ? startOnly(size, blueprint) : shiftedRight(labels, blueprint));
  const ids = checkedIds("decoderInputIds", rows, "decoder row", {
    ...{ vocabulary, architecture: `the decoder of ${architecture}` },
    positions: blueprint.decoder.positions,
  });
  if (ids.length !== size) {
    throw new ShapeError(`run: expected one row for the decoder per prompt, ${size} in all, got ${ids.length}`);
  }
  if (value.decoderAttentionMask !== undefined && value.decoderInputIds === undefined) {
    throw new OptionError("run: decoderAttentionMask belongs to decoderInputIds, which are missing");
  }
  const mask = value.decoderAttentionMask
    ? checkedRows("decoderAttentionMask", value.decoderAttentionMask, 2)
    : ids.map((row) => row.map(() => 1));
  sameLengths("decoderAttentionMask", mask, ids, "decoderInputIds");
  if (labels) sameLengths("labels", labels, ids, "decoderInputIds");
  const length = longest(ids);
  const side = { length, inputIds: flatten(ids, length, padId), attentionMask: flatten(mask, length, 0) };
  const next = labels && flatten(labels, length, unlabelled).map((id) => Math.max(id, -1));
  return { ...side, labels: next ?? nextIds({ ...side, size }) };
}

/**
 * A batch for a model with encoder and decoder: prompts start the decoder with its first token only; where ids are
 * given, so are the decoder's, unless the model is to write by itself.
 *
 * Throws   OptionError, ShapeError or UnsupportedError on anything that the model cannot run as it stands
 */
export function preparePair(
  input: string | readonly string[] | ModelInput,
  blueprint: Pair,
  tokenizer: Tokenizer | undefined,
  writes: boolean,
): Prepared {
  const given: unknown = input;
  const isText = typeof given === "string" || Array.isArray(given);
  if (!isText && (typeof given !== "object" || given === null)) {
    throw new OptionError(
      `run: expected a prompt, a list of prompts or an object with the model's inputs, got ${given === null ? "null" : typeof given}`,
    );
  }
  const value: ModelInput = isText ? { text: given as string | readonly string[] } : given;
  checkOptions("run", value, fields);
  const { texts, ...encoder } = encoderSide(value, blueprint, tokenizer);
  if (writes && (value.labels ?? value.targetText) !== undefined) {
    throw new OptionError("generate: the text is written, not given; leave labels and targetText out");
  }
  const startsAlone = writes || value.text !== undefined;
  const decoder = decoderSide(value, encoder.size, startsAlone, blueprint, tokenizer);
  return {
    batch: { ...encoder, decoder, tokenTypeIds: new Int32Array(encoder.size * encoder.length) },
    texts,
  };
}
