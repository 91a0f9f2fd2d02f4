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

/** What follows each prompt, and the hidden state that it is read off, where that has an address. */
interface LastReading {
  readonly logits: Value;
  readonly hidden: Value | undefined;
  /** Of the last real token of each row, [batch,2]. */
  readonly rows: Value;
}

function lastReading(site: Site, positions: readonly number[]): LastReading {
  if (!site.addresses.includes("logits")) {
    throw new OptionError(`metric: ${site.model.architecture} has no prediction head; write a metric of your own`);
  }
  const at = BigInt64Array.from(positions.flatMap((t, b) => [BigInt(b), BigInt(t)]));
  const rows = site.feed("metric rows", new Tensor("int64", [positions.length, 2], at), ["batch", 2]);
  const hidden = site.addresses.includes("ln_final") ? site.at("ln_final") : undefined;
  return { logits: site.at("logits"), hidden, rows };
}

/**
 * What follows each prompt: the logits of one token per row at one position per row, computed there only. Where logits are one product
 * with the hidden state, that is the product with the token's own column: the others are not read.
 *
 * Shapes   [batch]
 * Throws   OptionError for a model without a prediction head
 */
export function logitsOf(site: Site, positions: readonly number[], ids: readonly number[], name: string): Value {
  const { logits, hidden, rows } = lastReading(site, positions);
  const tokens = (): Value =>
    site.feed(`metric ${name}`, new Tensor("int64", [ids.length], BigInt64Array.from(ids, BigInt)), ["batch"]);
  if (hidden && logits.op === "MatMul" && logits.inputs[0] === hidden) {
    const [, weight] = logits.inputs;
    const stored = weight.op === "Transpose" ? weight.inputs[0] : undefined;
    const columns = stored
      ? build.gather(stored, tokens(), 0)
      : build.transpose(build.gather(weight, tokens(), 1), [1, 0]); // [B,M]
    return build.reduceSum(build.mul(build.gatherND(hidden, rows), columns), [1]);
  }
  const pairs = BigInt64Array.from(ids.flatMap((id, row) => [BigInt(row), BigInt(id)]));
  const indices = site.feed(`metric ${name}`, new Tensor("int64", [ids.length, 2], pairs), ["batch", 2]);
  if (!hidden) return build.gatherND(build.gatherND(logits, rows), indices);
  const picked = build.unsqueeze(build.gatherND(hidden, rows), [1]); // [B,1,M]
  return build.gatherND(build.squeeze(substitute(logits, new Map([[hidden, picked]])), [1]), indices);
}

/** What a metric gave; throws ShapeError unless that is one number per row. */
export function numbersOf(place: string, { name }: PromptMetric, value: Tensor, rows: number): number[] {
  if (value.shape.join() !== String(rows)) {
    throw new ShapeError(`${place}: ${name} must give one number per row, [${rows}]; got [${value.shape.join()}]`);
  }
  return Array.from(value.numbers());
}
