import { base64Length, encodeBase64 } from "./base64.js";
import { encodeHalf } from "./half.js";
import { clip, headingCaps, rounded, type Provenance } from "./heading.js";
import { PayloadError } from "./payloadError.js";
import {
  tokenStripCaps,
  tokenStripVersion,
  type LiveLines,
  type StoredLines,
  type TokenStripPayload,
} from "./tokenStripPayload.js";

export { tokenStripMime, type LiveLines, type StoredLines, type TokenStripPayload } from "./tokenStripPayload.js";
export { readTokenStrip } from "./readTokenStrip.js";
export { tokenStripText } from "./tokenStripText.js";

/** Where each token looks. */
export interface AttentionLines {
  readonly caption: string;
  readonly causal: boolean;
  /** The tokens that look, where they are not those of the strip. */
  readonly queries?: readonly string[];
  /** Weights of one query, one per token, finite and not negative. */
  readonly row: (query: number) => Float32Array;
}

/** What `tokenStrip` is made from. */
export interface TokenStripInput {
  readonly title: string;
  readonly measure: string;
  readonly kind: "diverging" | "sequential";
  readonly tokens: readonly string[];
  /** One per token; what is not finite has no value. */
  readonly values: ArrayLike<number>;
  readonly attention?: AttentionLines | undefined;
  readonly live?: LiveLines | undefined;
  readonly notes?: readonly string[];
  readonly provenance?: Provenance;
}

/**
 * The payload of a token strip; of the weights, as many of the largest of each query as fit.
 *
 * Range    at most `budgetBytes` (default 1 MB) of JSON where the texts fit; weights in 16 bits, values with 6 digits
 * Throws   PayloadError unless there is one value per token, amounts are ≥ 0 and weights finite and ≥ 0
 */
export function tokenStrip(input: TokenStripInput, options: { readonly budgetBytes?: number } = {}): TokenStripPayload {
  const { budgetBytes = 1_000_000 } = options;
  const { title, measure, kind, tokens, values, attention, live, notes = [], provenance = {} } = input;
  const most = tokenStripCaps.tokens;
  if (tokens.length < 1 || Math.max(tokens.length, attention?.queries?.length ?? 0) > most) {
    throw new PayloadError(
      `token strip: expected 1…${most} tokens, got ${tokens.length}; show a part of a longer text`,
    );
  }
  if (values.length !== tokens.length) {
    throw new PayloadError(
      `token strip: expected one value per token, got ${values.length} for ${tokens.length} tokens`,
    );
  }
  const shown = Array.from(values, rounded);
  const negative = kind === "sequential" ? shown.find((value) => value !== null && value < 0) : undefined;
  if (negative !== undefined) {
    throw new PayloadError(`token strip: expected amounts ≥ 0, got ${negative}; differences are of kind "diverging"`);
  }
  const bare: TokenStripPayload = {
    view: "token-strip",
    version: tokenStripVersion,
    title: clip(title, headingCaps.titleLength),
    measure: clip(measure, tokenStripCaps.measureLength),
    kind,
    tokens: tokens.map(clipped),
    values: shown,
    notes: notes.slice(0, headingCaps.notes).map((note) => clip(note, headingCaps.textLength)),
    provenance,
    ...(live ? { live } : {}),
  };
  if (!attention) return bare;
  return { ...bare, attention: storedLines(attention, tokens.length, budgetBytes - JSON.stringify(bare).length) };
}

const clipped = (token: string): string => clip(token, tokenStripCaps.tokenLength);

function storedLines(attention: AttentionLines, keyCount: number, spareBytes: number): StoredLines {
  const { caption, causal, queries, row } = attention;
  const queryCount = queries?.length ?? keyCount;
  const rows = Array.from({ length: queryCount }, (_, query) => checkedRow(row(query), query, keyCount));
  const mass = rows.map((weights) => Number(weights.reduce((sum, weight) => sum + weight, 0).toPrecision(6)));
  const head = {
    caption: clip(caption, tokenStripCaps.measureLength),
    causal,
    ...(queries ? { queries: queries.map(clipped) } : {}),
    mass,
    largest: rows.reduce((most, weights) => weights.reduce((top, weight) => Math.max(top, weight), most), 0),
  };
  const spare = spareBytes - JSON.stringify(head).length - 64;
  if (base64Length(2 * queryCount * keyCount) <= spare && queryCount * keyCount <= tokenStripCaps.kept) {
    const all = new Float32Array(queryCount * keyCount);
    rows.forEach((weights, query) => all.set(weights, query * keyCount));
    return { ...head, kept: keyCount, weights: encodeBase64(encodeHalf(all)) };
  }
  const fits = Math.floor((spare * 3) / 4 / 4 / queryCount);
  const kept = Math.min(keyCount, Math.max(1, fits), Math.floor(tokenStripCaps.kept / queryCount));
  const weights = new Float32Array(queryCount * kept);
  const keys = new Uint8Array(2 * queryCount * kept);
  rows.forEach((line, query) => {
    largestKeys(line, kept).forEach((key, place) => {
      const at = query * kept + place;
      weights[at] = line[key];
      keys[2 * at] = key & 255;
      keys[2 * at + 1] = key >> 8;
    });
  });
  return { ...head, kept, keys: encodeBase64(keys), weights: encodeBase64(encodeHalf(weights)) };
}

/** The keys of the `count` largest weights, in order of the text; of equal ones the earlier. */
export function largestKeys(weights: Float32Array, count: number): readonly number[] {
  if (count >= weights.length) return Array.from(weights.keys());
  const least = weights.slice().sort()[weights.length - count];
  let ties = count - weights.reduce((larger, weight) => larger + (weight > least ? 1 : 0), 0);
  return Array.from(weights.keys()).filter((key) => weights[key] > least || (weights[key] === least && ties-- > 0));
}

function checkedRow(weights: Float32Array, query: number, keyCount: number): Float32Array {
  const odd = weights.findIndex((weight) => !(weight >= 0 && weight < Infinity));
  if (weights.length === keyCount && odd < 0) return weights;
  const got = odd < 0 ? `${weights.length} weights` : `${weights[odd]} at key ${odd}`;
  throw new PayloadError(`token strip: query ${query}: expected ${keyCount} finite weights ≥ 0, got ${got}`);
}
