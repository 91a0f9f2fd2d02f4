import { FormatError } from "../tensor/index.js";
import type { Field, FieldsOf } from "./config.js";
import { amount, tokenId, tokenIds } from "./config.js";
import type { Blueprint } from "./family.js";
import type { Files } from "./host.js";
import type { JsonObject } from "./json.js";
import { readJson } from "./json.js";

/** Rules of a generation_config.json, in its own names: which tokens must come, and which may not. */
export interface GenerationRules {
  /** The first token after a start of one token. */
  readonly forced_bos_token_id: number | null;
  /** The last token of a text that has reached its longest. */
  readonly forced_eos_token_id: readonly number[];
  readonly suppress_tokens: readonly number[];
  /** Suppressed where a text begins: after its start, and after a forced first token. */
  readonly begin_suppress_tokens: readonly number[];
  /** Tokens, and sequences of which the last token is banned after the others. */
  readonly bad_words_ids: readonly (readonly number[])[];
  /** Logits of tokens that the text holds are divided by it where positive, multiplied where negative: 1. */
  readonly repetition_penalty: number;
  /** No sequence of this many tokens comes twice: 0, off. */
  readonly no_repeat_ngram_size: number;
  /** A text does not end before it has so many tokens, its start included; or so many new ones. */
  readonly min_length: number;
  readonly min_new_tokens: number;
}

/** Sequences of token ids, or null for none. */
const sequences: Field<readonly (readonly number[])[]> = {
  read: (value) => {
    const rows = value === null ? [] : Array.isArray(value) ? (value as unknown[]) : undefined;
    const ids = rows?.map((row) => (Array.isArray(row) && row.length > 0 ? tokenIds.read(row) : undefined));
    return ids?.every((row) => row !== undefined) ? ids : undefined;
  },
  fallback: [],
  expected: "lists of token ids, or null",
};

/** A number, or null for the fallback. */
function orNull(fallback: number): Field<number> {
  const { read, expected } = amount(fallback);
  return { read: (value) => (value === null ? fallback : read(value)), fallback, expected: `${expected}, or null` };
}

const fields: FieldsOf<GenerationRules> = {
  forced_bos_token_id: tokenId(null),
  forced_eos_token_id: tokenIds,
  suppress_tokens: tokenIds,
  begin_suppress_tokens: tokenIds,
  bad_words_ids: sequences,
  repetition_penalty: orNull(1),
  no_repeat_ngram_size: orNull(0),
  min_length: orNull(0),
  min_new_tokens: orNull(0),
};

/** What ends a text, and what rules it. */
export interface GenerationConfig {
  readonly endIds: readonly number[];
  readonly rules: GenerationRules;
}

/** No rules but the tokens that end a text. */
export function unruled(endIds: readonly number[]): GenerationConfig {
  const none = Object.entries<Field<unknown>>(fields).map(([name, { fallback }]) => [name, fallback] as const);
  return { endIds, rules: Object.fromEntries(none) as unknown as GenerationRules };
}

/**
 * What generation_config.json says; without one, what the config says, as older checkpoints do.
 *
 * Throws   FormatError on a value that is no token id, or no number
 */
export async function generationConfig(
  files: Files,
  folder: string,
  { endIds = [] }: Pick<Blueprint, "endIds">,
): Promise<GenerationConfig> {
  const held = await files.list(folder);
  const own = held.includes("generation_config.json");
  const name = own ? "generation_config.json" : "config.json";
  const path = files.resolve(folder, name);
  const json: JsonObject = held.includes(name) ? await readJson(files, path) : {};
  const valueOf = <T>(key: string, { read, expected, fallback }: Field<T>): T => {
    if (!Object.hasOwn(json, key)) return fallback!;
    const value = read(json[key]);
    if (value !== undefined) return value;
    throw new FormatError(`load ${path}: ${key} = ${JSON.stringify(json[key])}; expected ${expected}`);
  };
  const rules = Object.fromEntries(
    Object.entries<Field<unknown>>(fields).map(([key, field]) => [key, valueOf(key, field)]),
  ) as unknown as GenerationRules;
  return { endIds: own ? valueOf("eos_token_id", tokenIds) : endIds, rules };
}

/** A text while its next token is chosen. */
export interface RuledText {
  /** All tokens so far, those of the prompt or of the decoder's start included. */
  readonly ids: readonly number[];
  /** How many of them were given. */
  readonly given: number;
  /** Whether the next token is the last that fits. */
  readonly isLast: boolean;
}

/** Last tokens of sequences whose other tokens the text ends with. */
function completing(ids: readonly number[], sequences: readonly (readonly number[])[]): readonly number[] {
  return sequences
    .filter((sequence) => {
      const before = sequence.slice(0, -1);
      return before.length <= ids.length && before.every((id, i) => ids[ids.length - before.length + i] === id);
    })
    .map((sequence) => sequence.at(-1)!);
}

/** Every sequence of this many tokens that a text holds. */
function sequencesIn(ids: readonly number[], size: number): readonly (readonly number[])[] {
  return Array.from({ length: Math.max(0, ids.length - size + 1) }, (_, i) => ids.slice(i, i + size));
}

/**
 * Logits under the rules: −∞ for what may not come.
 *
 * Source   transformers' logits processors, in their order
 */
export function ruled(
  row: Float32Array,
  { ids, given, isLast }: RuledText,
  { endIds, rules }: GenerationConfig,
): Float32Array {
  const out = row.slice();
  const ban = (banned: readonly number[]): void => {
    for (const id of banned) if (id < out.length) out[id] = -Infinity;
  };
  const force = (forced: readonly number[]): void => {
    out.fill(-Infinity);
    for (const id of forced) out[id] = 0;
  };
  const { repetition_penalty: penalty, no_repeat_ngram_size: size, forced_bos_token_id: first } = rules;
  if (penalty !== 1) for (const id of new Set(ids)) out[id] = out[id] < 0 ? out[id] * penalty : out[id] / penalty;
  if (size > 0) ban(completing(ids, sequencesIn(ids, size)));
  ban(completing(ids, rules.bad_words_ids.filter((word) => word.length > 1 || !endIds.includes(word[0])))); // prettier-ignore
  if (ids.length < rules.min_length || ids.length - given < rules.min_new_tokens) ban(endIds);
  if (first !== null && ids.length === 1) force([first]);
  if (rules.forced_eos_token_id.length > 0 && isLast) force(rules.forced_eos_token_id);
  ban(rules.suppress_tokens);
  const begin = given > 1 || first === null ? given : given + 1;
  if (ids.length === begin) ban(rules.begin_suppress_tokens);
  return out;
}
