import { checkOptions, OptionError, ShapeError, UnsupportedError } from "../tensor/index.js";
import type { Batch, Blueprint } from "./family.js";
import type { Tokenizer } from "./tokenizer.js";

/** Whole numbers, one row per prompt. */
export type Rows = readonly ArrayLike<number | bigint>[];

/** Token ids given by hand. Rows of different lengths are padded on the right, and the padding is masked. */
export interface ModelInput {
  /** [batch, query] */
  readonly inputIds: Rows;
  /** [batch, query]: 1 real, 0 padding; all real when left out, whatever the ids. */
  readonly attentionMask?: Rows;
  /** [batch, query]; all 0 when left out. */
  readonly tokenTypeIds?: Rows;
  /**
   * [batch, query]; counted by the model when left out: 0, 1, 2 … with padding counted, except where its family counts
   * otherwise. For a prompt with padding on its left, positions that count real tokens only are given here.
   */
  readonly positionIds?: Rows;
}

/** A batch and what it was made from. */
export interface Prepared {
  readonly batch: Batch;
  /** Per prompt; undefined where token ids were given. */
  readonly texts: readonly (string | undefined)[];
}

/** Row `name` of an input as numbers, each in 0 … limit − 1. */
function checkedRows(name: string, rows: unknown, limit: number): number[][] {
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
      if (!Number.isInteger(id) || id < 0 || id >= limit) {
        throw new OptionError(
          `run: ${name}[${b}][${t}] must be a whole number in 0 … ${limit - 1}, got ${String(held)}`,
        );
      }
      return id;
    });
  });
}

function sameLengths(name: string, rows: readonly number[][], ids: readonly number[][]): void {
  const lengths = (of: readonly number[][]): string => of.map((row) => row.length).join(", ");
  if (lengths(rows) !== lengths(ids)) {
    throw new ShapeError(
      `run: ${name} must have the lengths of inputIds; expected [${lengths(ids)}], got [${lengths(rows)}]`,
    );
  }
}

function flatten(rows: readonly number[][], length: number, pad: number): Int32Array {
  return Int32Array.from(rows.flatMap((row) => [...row, ...new Array<number>(length - row.length).fill(pad)]));
}

function batchOf(
  { padId, positions, vocabulary, tokenTypes, architecture, inputs }: Blueprint,
  { inputIds, attentionMask, tokenTypeIds, positionIds }: ModelInput,
): Batch {
  if (positionIds && !inputs.includes("position_ids")) {
    throw new OptionError(`run: ${architecture} has no position ids; leave positionIds out`);
  }
  const ids = checkedRows("inputIds", inputIds, vocabulary);
  if (ids.length === 0) throw new OptionError("run: expected at least one prompt, got an empty list");
  const empty = ids.findIndex((row) => row.length === 0);
  if (empty >= 0) throw new OptionError(`run: prompt ${empty} has no tokens`);
  const long = ids.findIndex((row) => row.length > positions);
  if (long >= 0) {
    throw new ShapeError(
      `run: prompt ${long} has ${ids[long].length} tokens, but ${architecture} has ${positions} positions; shorten it`,
    );
  }
  const mask = attentionMask ? checkedRows("attentionMask", attentionMask, 2) : ids.map((row) => row.map(() => 1));
  const types = tokenTypeIds
    ? checkedRows("tokenTypeIds", tokenTypeIds, tokenTypes)
    : ids.map((row) => row.map(() => 0));
  sameLengths("attentionMask", mask, ids);
  sameLengths("tokenTypeIds", types, ids);
  const places = positionIds ? checkedRows("positionIds", positionIds, positions) : undefined;
  if (places) sameLengths("positionIds", places, ids);
  const length = Math.max(...ids.map((row) => row.length));
  return {
    size: ids.length,
    length,
    inputIds: flatten(ids, length, padId),
    attentionMask: flatten(mask, length, 0),
    tokenTypeIds: flatten(types, length, 0),
    positionIds: places && flatten(places, length, 0),
  };
}

/**
 * A batch from prompts or token ids, padded to the longest of them.
 *
 * Throws   OptionError, ShapeError or UnsupportedError on anything that the model cannot run as it stands
 */
export function prepare(
  input: string | readonly string[] | ModelInput,
  blueprint: Blueprint,
  tokenizer: Tokenizer | undefined,
): Prepared {
  const value: unknown = input;
  if (typeof value !== "string" && !Array.isArray(value)) {
    if (typeof value !== "object" || value === null) {
      throw new OptionError(
        `run: expected a prompt, a list of prompts or { inputIds }, got ${value === null ? "null" : typeof value}`,
      );
    }
    checkOptions("run", value, ["inputIds", "attentionMask", "tokenTypeIds", "positionIds"]);
    const batch = batchOf(blueprint, value as ModelInput);
    return { batch, texts: new Array<undefined>(batch.size).fill(undefined) };
  }
  const texts: readonly unknown[] = typeof value === "string" ? [value] : value;
  if (texts.length === 0) throw new OptionError("run: expected at least one prompt, got an empty list");
  if (!tokenizer) throw new UnsupportedError("run: this model has no tokenizer; pass { inputIds } instead of text");
  const encoded = texts.map((text, i) => {
    if (typeof text !== "string")
      throw new OptionError(`run: prompt ${i} must be text, got ${text === null ? "null" : typeof text}`);
    if (text.trim() === "") throw new OptionError(`run: prompt ${i} is empty`);
    return tokenizer.encode(text);
  });
  const batch = batchOf(blueprint, {
    inputIds: encoded.map(({ ids }) => ids),
    attentionMask: encoded.map(({ ids }) => ids.map(() => 1)),
    tokenTypeIds: encoded.map(({ tokenTypeIds }) => tokenTypeIds),
  });
  return { batch, texts: texts as readonly string[] };
}
