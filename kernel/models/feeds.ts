import { Tensor } from "../tensor/index.js";
import type { Batch } from "./family.js";

/** The feeds of a text model; inputs that a model does not declare are left aside when it runs. */
export function tokenFeeds(batch: Batch, counted: Int32Array): Readonly<Record<string, Tensor>> {
  const { size, length, inputIds, attentionMask, tokenTypeIds } = batch;
  const rows = (data: Int32Array): Tensor => new Tensor("int32", [size, length], data);
  return {
    input_ids: rows(inputIds),
    attention_mask: rows(attentionMask),
    token_type_ids: rows(tokenTypeIds),
    position_ids: rows(batch.positionIds ?? counted),
    token_index: rows(arange(batch)),
    key_index: rows(arange(batch)),
    key_positions: rows(realPositions(batch)),
    next_ids: rows(nextIds(batch)),
  };
}

/** Positions 0, 1, 2 … in every row, padding counted. */
export function arange({ size, length }: Batch): Int32Array {
  return Int32Array.from({ length: size * length }, (_, i) => i % length);
}

/** The token after each position, −1 where either of the two is padding or the prompt ends. */
export function nextIds({
  size,
  length,
  inputIds,
  attentionMask,
}: Pick<Batch, "size" | "length" | "inputIds" | "attentionMask">): Int32Array {
  return Int32Array.from({ length: size * length }, (_, i) =>
    i % length < length - 1 && attentionMask[i] === 1 && attentionMask[i + 1] === 1 ? inputIds[i + 1] : -1,
  );
}

/** Positions that count the tokens that are not masked: 0, 1, 2 …; `masked` at the others. */
export function realPositions({ size, length, attentionMask }: Batch, masked = 0): Int32Array {
  const positions = new Int32Array(size * length);
  for (let b = 0; b < size; b++) {
    let seen = 0;
    for (let t = b * length; t < (b + 1) * length; t++) positions[t] = attentionMask[t] === 1 ? seen++ : masked;
  }
  return positions;
}

/** What the positions of a spoken prompt are called: when they begin, 20 ms apart. */
export function timeLabels({ size, length }: Batch): string[][] {
  return Array.from({ length: size }, () => Array.from({ length }, (_, t) => `${(t / 50).toFixed(2)}s`));
}
