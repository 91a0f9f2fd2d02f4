import { OptionError, type Tensor } from "../tensor/index.js";
import type { AttentionStack } from "./attentionStack.js";
import type { Batch, Blueprint } from "./family.js";
import { stacksOf } from "./stacks.js";

/** A sound as a model heard it. */
export interface HeardSound {
  /** Log-mel values, [bin, slice] row-major, low pitches first; two slices for each frame that is attended to. */
  readonly bins: number;
  readonly slices: number;
  readonly data: Float32Array;
  readonly frames: number;
  readonly secondsPerFrame: number;
  /** Frames before the sound ended: in all later ones every pitch is as soft as the softest. */
  readonly soundFrames: number;
  /** The attention of the written tokens to the frames. */
  readonly stack: AttentionStack;
}

/** A tenth of a second of Whisper is ten slices; two of them share a position. */
const secondsPerFrame = 0.02;

/**
 * A sound from its features, and where it ends: what follows is the silence that fills up the span a model hears.
 *
 * Throws   OptionError where no sound was read, or there are not so many
 */
export function heardSound(blueprint: Blueprint, { features, size }: Batch, index: number): HeardSound {
  const stack = stacksOf(blueprint).find(({ queries, keys }) => queries === "decoder" && keys === "prompt");
  if (!features || !stack) throw new OptionError(`run.sound: ${blueprint.architecture} read no sound`);
  if (!Number.isInteger(index) || index < 0 || index >= size) {
    throw new OptionError(`run.sound: expected a sound in 0 … ${size - 1}, got ${String(index)}`);
  }
  const { shape, data } = features.slice(index) as Tensor<"float32">; // [C,F]
  const [bins, slices] = shape;
  const frames = slices / 2;
  const softest = data.reduce((least, value) => Math.min(least, value), Infinity);
  let end = slices;
  const isSilent = (slice: number): boolean =>
    Array.from({ length: bins }, (_, bin) => data[bin * slices + slice]).every((value) => value <= softest + 1e-6);
  while (end > 0 && isSilent(end - 1)) end--;
  const soundFrames = end === 0 ? frames : Math.ceil(end / 2);
  return { bins, slices, data, frames, secondsPerFrame, soundFrames, stack };
}
