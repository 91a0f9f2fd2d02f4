import { FormatError, knownNames, UnsupportedError } from "../tensor/index.js";
import type { JsonObject } from "./json.js";

/** How one attribute of a config is read. */
export interface Field<T> {
  /** Value where the file leaves the attribute out; without one it is required. */
  readonly fallback?: T;
  readonly expected: string;
  /** Undefined where the value is not acceptable. */
  readonly read: (value: unknown) => T | undefined;
}

/** One field per attribute of a config. */
export type FieldsOf<C> = { readonly [K in keyof C]: Field<C[K]> };

/** A whole number of at least 1. */
export function count(fallback?: number): Field<number> {
  const read = (value: unknown): number | undefined =>
    Number.isSafeInteger(value) && (value as number) > 0 ? (value as number) : undefined;
  return { read, expected: "a whole number of at least 1", ...(fallback === undefined ? {} : { fallback }) };
}

/** A finite number of at least 0. */
export function amount(fallback: number): Field<number> {
  const read = (value: unknown): number | undefined =>
    typeof value === "number" && Number.isFinite(value) && value >= 0 ? value : undefined;
  return { read, fallback, expected: "a number of at least 0" };
}

/** A token id, or null for none. */
export function tokenId(fallback: number | null): Field<number | null> {
  const read = (value: unknown): number | null | undefined =>
    value === null || (Number.isSafeInteger(value) && (value as number) >= 0) ? (value as number | null) : undefined;
  return { read, fallback, expected: "a token id or null" };
}

export function flag(fallback: boolean): Field<boolean> {
  return { read: (value) => (typeof value === "boolean" ? value : undefined), fallback, expected: "true or false" };
}

/** Token ids: one, several, or null for none. */
export const tokenIds: Field<readonly number[]> = {
  read: (value) => {
    const ids = value === null ? [] : Array.isArray(value) ? (value as unknown[]) : [value];
    return ids.every((id) => Number.isSafeInteger(id) && (id as number) >= 0) ? (ids as number[]) : undefined;
  },
  fallback: [],
  expected: "token ids or null",
};

/** A value, or null for none. */
export function maybe<T>({ read, expected }: Field<T>, fallback: T | null = null): Field<T | null> {
  return { read: (value) => (value === null ? null : read(value)), fallback, expected: `${expected}, or null` };
}

/** An object, read by whoever knows its parts. */
export const record: Field<JsonObject> = {
  read: (value) =>
    typeof value === "object" && value !== null && !Array.isArray(value) ? (value as JsonObject) : undefined,
  expected: "an object",
};

/** One word per layer. */
export function words<T extends string>(known: readonly T[]): Field<readonly T[]> {
  const read = (value: unknown): readonly T[] | undefined =>
    Array.isArray(value) && value.every((word) => known.includes(word as T)) ? (value as T[]) : undefined;
  return { read, expected: `a list of ${known.join(", ")}` };
}

/** One of some words. */
export function choice<T extends string>(words: readonly T[], fallback: T): Field<T> {
  return { read: (value) => words.find((word) => word === value), fallback, expected: words.join(", ") };
}

/** An attribute of which only these values are handled; the first is the default. */
export function only<T>(...values: readonly [T, ...T[]]): Field<T> {
  const texts = values.map((value) => JSON.stringify(value));
  const read = (value: unknown): T | undefined => values[texts.indexOf(JSON.stringify(value))];
  return { read, fallback: values[0], expected: texts.join(" or ") };
}

/** A config with other spellings of attributes under their own names. */
export function respelled(json: JsonObject, spellings: Readonly<Record<string, string>>): JsonObject {
  return Object.fromEntries(Object.entries(json).map(([name, value]) => [spellings[name] ?? name, value]));
}

/** Attributes that say nothing about what a forward pass computes. */
const neutral: readonly string[] = [
  "_attn_implementation", "_attn_implementation_autoset", "_commit_hash", "_name_or_path", "architectures",
  "chunk_size_feed_forward", "dtype", "finetuning_task", "gradient_checkpointing", "id2label", "initializer_range",
  "label2id", "language", "model_type", "name", "num_labels", "output_attentions", "output_hidden_states",
  "output_past", "problem_type", "return_dict", "task_specific_params", "tokenizer_class", "torch_dtype",
  "torchscript", "transformers_version", "use_cache",
]; // prettier-ignore

/**
 * The attributes of a config that a family handles, with its defaults filled in.
 *
 * Throws   UnsupportedError on an attribute that is neither handled nor knowingly ignored, or whose value is not
 *          handled; FormatError on a missing one
 */
export function readConfig<C extends object>(
  family: string,
  json: JsonObject,
  fields: FieldsOf<C>,
  ignored: readonly string[] = [],
): C {
  for (const [name, value] of Object.entries(json)) {
    if (Object.hasOwn(fields, name) || neutral.includes(name) || ignored.includes(name)) continue;
    throw new UnsupportedError(
      `${family}: config attribute "${name}" = ${JSON.stringify(value)} is not handled; remove it or add it to families/${family}.ts${knownNames(name, Object.keys(fields))}`,
    );
  }
  const entries = Object.entries<Field<unknown>>(fields).map(([name, { read, fallback, expected }]) => {
    if (!Object.hasOwn(json, name)) {
      if (fallback === undefined)
        throw new FormatError(`${family}: config attribute "${name}" is missing; expected ${expected}`);
      return [name, fallback] as const;
    }
    const value = read(json[name]);
    if (value === undefined) {
      throw new UnsupportedError(
        `${family}: config attribute "${name}" = ${JSON.stringify(json[name])} is not handled; expected ${expected}`,
      );
    }
    return [name, value] as const;
  });
  return Object.fromEntries(entries) as C;
}
