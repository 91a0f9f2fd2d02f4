import { OptionError, ShapeError } from "../tensor/index.js";
import type { Blueprint } from "./family.js";

/** Whole numbers, one row per prompt. */
export type Rows = readonly ArrayLike<number | bigint>[];

/**
 * Rows of an input as numbers, each in `least` … limit − 1.
 *
 * Throws   OptionError on anything else
 */
export function checkedRows(name: string, rows: unknown, limit: number, least = 0): number[][] {
  if (!Array.isArray(rows))
    throw new OptionError(`run: ${name} must be an array with one row per prompt, got ${typeof rows}`);
  return rows.map((row: unknown, b) => {
    if (typeof row !== "object" || row === null || !("length" in row)) {
      throw new OptionError(
        `run: ${name}[${b}] must be an array of whole numbers, got ${row === null ? "null" : typeof row}`,
      );
    }
    return Array.from(row as ArrayLike<number | bigint>, (held, t) => {
      const id = typeof held === "bigint" ? Number(held) : held;
      if (!Number.isInteger(id) || id < least || id >= limit) {
        throw new OptionError(
          `run: ${name}[${b}][${t}] must be a whole number in ${least} … ${limit - 1}, got ${String(held)}`,
        );
      }
      return id;
    });
  });
}

/**
 * Token ids, at least one in each row and no more than there are positions.
 *
 * Throws   OptionError, ShapeError on anything else; `what` a row is called
 */
export function checkedIds(
  name: string,
  rows: unknown,
  what: string,
  { vocabulary, positions, architecture }: Pick<Blueprint, "vocabulary" | "positions" | "architecture">,
): number[][] {
  const ids = checkedRows(name, rows, vocabulary);
  if (ids.length === 0) throw new OptionError("run: expected at least one prompt, got an empty list");
  const empty = ids.findIndex((row) => row.length === 0);
  if (empty >= 0) throw new OptionError(`run: ${what} ${empty} has no tokens`);
  const long = ids.findIndex((row) => row.length > positions);
  if (long >= 0) {
    throw new ShapeError(
      `run: ${what} ${long} has ${ids[long].length} tokens, but ${architecture} has ${positions} positions; shorten it`,
    );
  }
  return ids;
}

/** Throws ShapeError unless both have as many numbers in each row. */
export function sameLengths(
  name: string,
  rows: readonly (readonly number[])[],
  ids: readonly (readonly number[])[],
  idsName = "inputIds",
): void {
  const lengths = (of: readonly (readonly number[])[]): string => of.map((row) => row.length).join(", ");
  if (lengths(rows) !== lengths(ids)) {
    throw new ShapeError(
      `run: ${name} must have the lengths of ${idsName}; expected [${lengths(ids)}], got [${lengths(rows)}]`,
    );
  }
}

/** The rows one after the other, each padded at its end. */
export function flatten(rows: readonly (readonly number[])[], length: number, pad: number): Int32Array {
  return Int32Array.from(rows.flatMap((row) => [...row, ...new Array<number>(length - row.length).fill(pad)]));
}

/** Length of the longest row. */
export function longest(rows: readonly (readonly number[])[]): number {
  return Math.max(...rows.map((row) => row.length));
}
