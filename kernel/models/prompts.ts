import { ShapeError } from "../tensor/index.js";
import type { Batch, Blueprint } from "./family.js";

/** The token ids of each prompt without its padding. */
export function realIds({
  size,
  length,
  inputIds,
  attentionMask,
}: Pick<Batch, "size" | "length" | "inputIds" | "attentionMask">): number[][] {
  return Array.from({ length: size }, (_, b) =>
    Array.from(inputIds.subarray(b * length, (b + 1) * length)).filter((_, t) => attentionMask[b * length + t] === 1),
  );
}

/** Rows of different lengths as a batch with its padding on the right, where no real token sees it. */
export function rightPadded(rows: readonly (readonly number[])[], padId: number, fixedLength?: number): Batch {
  const length = fixedLength ?? Math.max(...rows.map((row) => row.length));
  const flat = (of: (row: readonly number[], t: number) => number): Int32Array =>
    Int32Array.from(rows.flatMap((row) => Array.from({ length }, (_, t) => of(row, t))));
  return {
    size: rows.length,
    length,
    inputIds: flat((row, t) => row[t] ?? padId),
    attentionMask: flat((row, t) => (t < row.length ? 1 : 0)),
    tokenTypeIds: flat(() => 0),
  };
}

/** Throws ShapeError where a prompt and its new tokens need more positions than the model has. */
export function checkRoom(rows: readonly (readonly number[])[], newTokens: number, blueprint: Blueprint): void {
  const { positions, architecture } = blueprint;
  rows.forEach((row, b) => {
    if (row.length === 0) throw new ShapeError(`generate: prompt ${b} has no tokens besides padding`);
    const needed = row.length + newTokens - 1;
    if (needed > positions) {
      throw new ShapeError(
        `generate: prompt ${b} needs ${needed} positions for ${row.length} tokens and ${newTokens} new ones, but ${architecture} has ${positions}`,
      );
    }
  });
}
