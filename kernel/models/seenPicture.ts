import { OptionError } from "../tensor/index.js";
import type { AttentionStack } from "./attentionStack.js";
import type { Batch, Blueprint } from "./family.js";
import { stacksOf } from "./stacks.js";

/** A picture as a model saw it. */
export interface SeenPicture {
  readonly width: number;
  readonly height: number;
  /** Red, green and blue of each pixel, row by row. */
  readonly data: Uint8Array;
  /** How its patches lie. */
  readonly rows: number;
  readonly columns: number;
  /** The attention among its patches. */
  readonly stack: AttentionStack;
}

/**
 * A picture from its pixel values, resized and cropped as the model saw it; all channels are stretched alike, the least value to
 * 0 and the largest to 255.
 *
 * Throws   OptionError where no picture was read, or there are not so many
 */
export function seenPicture(blueprint: Blueprint, { patches }: Batch, index: number): SeenPicture {
  const { pictures, architecture } = blueprint;
  const stack = stacksOf(blueprint).find(({ queries, keys }) => queries === keys && keys === pictures?.sequence);
  if (!pictures || !patches || !stack) throw new OptionError(`run.picture: ${architecture} read no picture`);
  if (!Number.isInteger(index) || index < 0 || index >= patches.pictures) {
    throw new OptionError(`run.picture: expected a picture in 0 … ${patches.pictures - 1}, got ${String(index)}`);
  }
  const { rows, columns, feeds } = patches;
  const { shape, data: values } = feeds["pixel_values"];
  const [, channels, fullHeight, fullWidth] = shape;
  const [height, width] = [rows * pictures.grid.patchHeight, columns * pictures.grid.patchWidth];
  const from = (channel: number, pixel: number): number =>
    Number(
      values[
        ((index * channels + Math.min(channel, channels - 1)) * fullHeight + Math.floor(pixel / width)) * fullWidth +
          (pixel % width)
      ],
    );
  let [least, most] = [Infinity, -Infinity];
  for (let pixel = 0; pixel < height * width; pixel++) {
    for (let channel = 0; channel < 3; channel++) {
      const value = from(channel, pixel);
      least = Math.min(least, value);
      most = Math.max(most, value);
    }
  }
  const scale = most > least ? 255 / (most - least) : 0;
  const data = new Uint8Array(height * width * 3);
  for (let at = 0; at < data.length; at++) data[at] = Math.round((from(at % 3, Math.floor(at / 3)) - least) * scale);
  return { width, height, data, rows, columns, stack };
}
