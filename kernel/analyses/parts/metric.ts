import type { Value } from "../../graph/index.js";
import { build, substitute } from "../../graph/index.js";
import type { Site } from "../../models/index.js";
import { OptionError, ShapeError, Tensor } from "../../tensor/index.js";

/** One number per prompt, written on the model's graph. */
export interface PromptMetric {
  /** Names the metric and all its parameters: sweeps take metrics of one name for the same. */
  readonly name: string;
  /**
   * The metric of each row of the batch; row r is a copy of prompt `prompts[r]` of the list.
   *
   * Shapes   [batch]
   */
  readonly write: (site: Site, prompts: readonly number[]) => Value;
}

/** The position of the last real token of each row. */
export function lastPositions({ batch: { size, length, attentionMask } }: Site): readonly number[] {
  return Array.from({ length: size }, (_, b) => attentionMask.subarray(b * length, (b + 1) * length).lastIndexOf(1));
}

/**
 * What follows each prompt: its logits at one position per row, computed there only.
 *
 * Shapes   [batch,vocab]
 * Throws   OptionError for a model without a prediction head
 */
export function logitsAt(site: Site, positions: readonly number[]): Value {
  if (!site.addresses.includes("logits")) {
    throw new OptionError(`metric: ${site.model.architecture} has no prediction head; write a metric of your own`);
  }
  const rows = new Tensor(
    "int64",
    [positions.length, 2],
    BigInt64Array.from(positions.flatMap((t, b) => [BigInt(b), BigInt(t)])),
  );
  const indices = site.feed("metric rows", rows, ["batch", 2]);
  const logits = site.at("logits");
  if (!site.addresses.includes("ln_final")) return build.gatherND(logits, indices);
  const hidden = site.at("ln_final");
  const picked = build.unsqueeze(build.gatherND(hidden, indices), [1]); // [B,1,M]
  return build.squeeze(substitute(logits, new Map([[hidden, picked]])), [1]);
}

/** What a metric gave; throws ShapeError unless that is one number per row. */
export function numbersOf(place: string, { name }: PromptMetric, value: Tensor, rows: number): number[] {
  if (value.shape.join() !== String(rows)) {
    throw new ShapeError(`${place}: ${name} must give one number per row, [${rows}]; got [${value.shape.join()}]`);
  }
  return Array.from(value.numbers());
}
