import { OptionError, Tensor, UnsupportedError } from "../tensor/index.js";
import { featuresName } from "./continuation.js";
import type { Batch, Blueprint } from "./family.js";
import { cachedReader } from "./keyValueCache.js";
import type { Pass, Reader, Text } from "./reader.js";

/**
 * Reads texts with pictures: what is seen is computed once and put in place of the image tokens, and the language model
 * goes on as {@link cachedReader} does.
 *
 * Throws   OptionError where no cache is wanted; UnsupportedError where the model writes an image token itself
 */
export function picturesReader(
  blueprint: Blueprint,
  batch: Batch,
  see: Pass,
  continued: Pass,
  { withPatterns, cache }: { readonly withPatterns: boolean; readonly cache: boolean },
): Reader {
  const { pictures, architecture } = blueprint;
  const id = pictures?.imageToken?.id;
  if (id === undefined) throw new OptionError(`generate: ${architecture} puts no pictures into its text`);
  if (!cache) throw new OptionError(`generate: ${architecture} sees its pictures once; leave cache out`);
  const { size, length, inputIds } = batch;
  const counts = Array.from({ length: size }, (_, b) =>
    inputIds.subarray(b * length, (b + 1) * length).reduce((count, each) => count + (each === id ? 1 : 0), 0),
  );
  const starts = counts.map((_, b) => counts.slice(0, b).reduce((sum, count) => sum + count, 0));
  let seen: Promise<Tensor> | undefined;
  const features = async (): Promise<Tensor> => (await see(blueprint.feeds(batch), [featuresName]))[featuresName];
  /** The features of the image tokens of these texts, in order; at least one row. */
  const featuresOf = async (texts: readonly Text[]): Promise<Readonly<Record<string, Tensor>>> => {
    const all = await (seen ??= features());
    const width = all.shape[1];
    for (const { prompt, ids } of texts) {
      if (ids.filter((each) => each === id).length === counts[prompt]) continue;
      throw new UnsupportedError(`generate: ${architecture} wrote an image token (id ${id}) in prompt ${prompt}`);
    }
    const rows = texts.reduce((sum, { prompt }) => sum + counts[prompt], 0);
    const data = new Float32Array(Math.max(1, rows) * width);
    let at = 0;
    for (const { prompt } of texts) {
      const own = all.data.subarray(starts[prompt] * width, (starts[prompt] + counts[prompt]) * width) as Float32Array;
      data.set(own, at);
      at += own.length;
    }
    return { [featuresName]: new Tensor("float32", [Math.max(1, rows), width], data) };
  };
  return cachedReader(blueprint, continued, withPatterns, featuresOf);
}
