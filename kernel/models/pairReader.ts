import type { Value } from "../graph/index.js";
import { OptionError, Tensor } from "../tensor/index.js";
import type { Batch, Blueprint } from "./family.js";
import { forward } from "./forward.js";
import { rightPadded } from "./prompts.js";
import type { Pass, Reader } from "./reader.js";

const memoryName = "encoder_last_hidden_state";

/** The logits of a decoder that reads what its encoder left, as a graph. */
export function decoderAlone(
  { family, decoder }: Blueprint,
  weights: ReadonlyMap<string, Value>,
): Readonly<Record<string, Value>> {
  if (!decoder?.alone) throw new OptionError(`generate: ${family} has no decoder of its own`);
  const { values } = forward({ family, ...decoder.alone }, weights);
  return { logits: values.get("logits")! };
}

/** Some rows of a tensor, along its first axis. */
function rowsOf(tensor: Tensor, rows: readonly number[]): Tensor {
  const size = tensor.data.length / tensor.shape[0];
  const data = new Float32Array(rows.length * size);
  rows.forEach((row, i) => data.set(tensor.data.subarray(row * size, (row + 1) * size) as Float32Array, i * size));
  return new Tensor("float32", [rows.length, ...tensor.shape.slice(1)], data);
}

/** Some prompts of a batch, without what belongs to the decoder. */
function promptsOf(batch: Batch, prompts: readonly number[]): Batch {
  const { length, features } = batch;
  const some = (all: Int32Array): Int32Array =>
    Int32Array.from(prompts.flatMap((b) => Array.from(all.subarray(b * length, (b + 1) * length))));
  return {
    size: prompts.length,
    length,
    inputIds: some(batch.inputIds),
    attentionMask: some(batch.attentionMask),
    tokenTypeIds: some(batch.tokenTypeIds),
    ...(features ? { features: rowsOf(features, prompts) } : {}),
  };
}

/**
 * Reads what a decoder has written so far, from its beginning at each step; an encoder that can run by itself runs once.
 *
 * Throws   OptionError where patterns are asked for: they come from a run over the written text
 */
export function pairReader(
  blueprint: Blueprint,
  batch: Batch,
  encode: Pass,
  decode: Pass,
  whole: Pass,
  withPatterns: boolean,
): Reader {
  if (withPatterns) {
    throw new OptionError(
      `generate: ${blueprint.architecture} has several kinds of attention; leave patterns out and run it with the written tokens as decoderInputIds`,
    );
  }
  let memory: Promise<Tensor> | undefined;
  const encoded = async (): Promise<Tensor> => (await encode(blueprint.feeds(batch), [memoryName]))[memoryName];
  return async (texts) => {
    const prompts = texts.map(({ prompt }) => prompt);
    const written = rightPadded(
      texts.map(({ ids }) => ids),
      blueprint.padId,
    );
    const decoder = { ...written, labels: new Int32Array(written.inputIds.length).fill(-1) };
    const feeds = blueprint.feeds({ ...promptsOf(batch, prompts), decoder });
    const { logits } = blueprint.decoder?.alone
      ? await decode({ ...feeds, [memoryName]: rowsOf(await (memory ??= encoded()), prompts) }, ["logits"])
      : await whole(feeds, ["logits"]);
    return texts.map(({ ids }, row) => ({
      logits: logits.slice(row, ids.length - 1).data.slice() as Float32Array,
      pattern: undefined,
    }));
  };
}
