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
    next_ids: rows(nextIds(batch)),
  };
}

/** Positions 0, 1, 2 … in every row, padding counted. */
export function arange({ size, length }: Batch): Int32Array {
  return Int32Array.from({ length: size * length }, (_, i) => i % length);
}

/** The token after each position, −1 where either of the two is padding or the prompt ends. */
export function nextIds({ size, length, inputIds, attentionMask }: Batch): Int32Array {
  return Int32Array.from({ length: size * length }, (_, i) =>
    i % length < length - 1 && attentionMask[i] === 1 && attentionMask[i + 1] === 1 ? inputIds[i + 1] : -1,
  );
}
