import { base64Length, decodeBase64, encodeBase64 } from "./base64.js";
import { decodeHalf, encodeHalf } from "./half.js";
import { clip, headingCaps, type Provenance } from "./heading.js";
import { headPairCaps, headPairVersion, type HeadPairPayload, type WeightDifference } from "./headPairPayload.js";
import { maxPool } from "./maxPool.js";
import { PayloadError } from "./payloadError.js";

export { headPairMime, type HeadPairPayload, type WeightDifference } from "./headPairPayload.js";
export { headPairText } from "./headPairText.js";
export { readHeadPair } from "./readHeadPair.js";

/** What `headPair` is made from. */
export interface HeadPairInput {
  readonly title: string;
  /** What A and B are. */
  readonly names: readonly [a: string, b: string];
  readonly causal: boolean;
  readonly queryTokens: readonly string[];
  readonly keyTokens: readonly string[];
  /** The tokens of B, where they are others. */
  readonly otherQueryTokens?: readonly string[];
  readonly otherKeyTokens?: readonly string[];
  /** [Q,K] of A and of B. */
  readonly patterns: readonly [a: Float32Array, b: Float32Array];
  readonly notes?: readonly string[];
  readonly provenance?: Provenance;
}

const shownDifferences = 8;

/**
 * The payload of two heads side by side.
 *
 *   total variation of a query    ½ Σ_k |A − B|
 *   Jensen–Shannon divergence     ½ Σ_k (A ln(A / M) + B ln(B / M)),  M = (A + B) / 2
 *
 * Range    0…1 and 0…ln 2 where rows sum to 1; at most `budgetBytes` (default 1 MB) where the tokens fit
 * Throws   PayloadError where patterns and tokens do not agree, or a weight is negative or not finite
 * Source   Lin 1991, Divergence measures based on the Shannon entropy, eq. 4.1
 */
export function headPair(input: HeadPairInput, options: { readonly budgetBytes?: number } = {}): HeadPairPayload {
  const { budgetBytes = 1_000_000 } = options;
  const { title, names, causal, queryTokens, keyTokens, otherQueryTokens, otherKeyTokens } = input;
  const { patterns, notes = [], provenance = {} } = input;
  const [queries, keys] = [queryTokens.length, keyTokens.length];
  const others = [otherQueryTokens?.length ?? queries, otherKeyTokens?.length ?? keys];
  if (Math.min(queries, keys) < 1 || Math.max(queries, keys) > headPairCaps.tokens) {
    throw new PayloadError(`head pair: expected 1…${headPairCaps.tokens} tokens, got ${queries} queries and ${keys} keys`); // prettier-ignore
  }
  const sizes = [...patterns.map(({ length }) => length), others[0] * others[1]];
  if (sizes.some((size) => size !== queries * keys) || others[0] !== queries) {
    throw new PayloadError(`head pair: expected ${queries} × ${keys} weights and tokens of A and of B, got ${sizes.join(", ")}`); // prettier-ignore
  }
  patterns.forEach((pattern, at) => checkWeights(pattern, names[at], keys));
  const [a, b] = patterns;
  const clipped = (tokens: readonly string[]): readonly string[] =>
    tokens.map((token) => clip(token, headPairCaps.tokenLength));
  const bare = {
    view: "head-pair",
    version: headPairVersion,
    title: clip(title, headingCaps.titleLength),
    names: names.map((name) => clip(name, headPairCaps.nameLength)),
    causal,
    queryTokens: clipped(queryTokens),
    keyTokens: clipped(keyTokens),
    ...(otherQueryTokens ? { otherQueryTokens: clipped(otherQueryTokens) } : {}),
    ...(otherKeyTokens ? { otherKeyTokens: clipped(otherKeyTokens) } : {}),
    totalVariation: Array.from({ length: queries }, (_, query) => variation(a, b, query, keys)),
    jensenShannonNats: Number((divergence(a, b) / queries).toPrecision(6)),
    largest: farthest(a, b, keys),
    notes: notes.slice(0, headingCaps.notes).map((note) => clip(note, headingCaps.textLength)),
    provenance,
  } as const;
  const spare = budgetBytes - JSON.stringify(bare).length - 64;
  const bytesAt = (side: number): number => base64Length(6 * Math.ceil(queries / side) * Math.ceil(keys / side));
  let block = 1;
  while (block < Math.max(queries, keys) && bytesAt(block) > spare) block++;
  const stored = [maxPool(a, queries, keys, block), maxPool(b, queries, keys, block), poolDifference(a, b, queries, keys, block)]; // prettier-ignore
  const all = new Float32Array(3 * stored[0].length);
  stored.forEach((part, at) => all.set(part, at * stored[0].length));
  return { ...bare, block, data: encodeBase64(encodeHalf(all)) };
}

/** A, B and A − B as stored, [rows,columns] each. */
export function readPair({ queryTokens, keyTokens, block, data }: HeadPairPayload): {
  readonly rows: number;
  readonly columns: number;
  readonly a: Float32Array;
  readonly b: Float32Array;
  readonly difference: Float32Array;
} {
  const rows = Math.ceil(queryTokens.length / block);
  const columns = Math.ceil(keyTokens.length / block);
  const values = decodeHalf(decodeBase64(data));
  const [a, b, difference] = [0, 1, 2].map((part) => values.subarray(part * rows * columns, (part + 1) * rows * columns)); // prettier-ignore
  return { rows, columns, a, b, difference };
}

/** The mean of a list of numbers. */
export function meanVariation({ totalVariation }: Pick<HeadPairPayload, "totalVariation">): number {
  return totalVariation.reduce((sum, value) => sum + value, 0) / totalVariation.length;
}

function checkWeights(pattern: Float32Array, name: string, keys: number): void {
  const odd = pattern.findIndex((weight) => !(weight >= 0 && weight < Infinity));
  if (odd < 0) return;
  const place = `query ${Math.floor(odd / keys)}, key ${odd % keys}`;
  throw new PayloadError(`head pair: ${clip(name, 80)}: expected finite weights ≥ 0, got ${pattern[odd]} at ${place}`);
}

function variation(a: Float32Array, b: Float32Array, query: number, keys: number): number {
  let sum = 0;
  for (let at = query * keys; at < (query + 1) * keys; at++) sum += Math.abs(a[at] - b[at]);
  return Number((sum / 2).toPrecision(6));
}

function divergence(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let at = 0; at < a.length; at++) {
    const middle = (a[at] + b[at]) / 2;
    if (a[at] > 0) sum += a[at] * Math.log(a[at] / middle);
    if (b[at] > 0) sum += b[at] * Math.log(b[at] / middle);
  }
  return Math.max(0, sum / 2);
}

/** The weights in which the two differ most; none where they are equal. */
function farthest(a: Float32Array, b: Float32Array, keys: number): readonly WeightDifference[] {
  const found: number[] = [];
  const size = (at: number): number => Math.abs(a[at] - b[at]);
  for (let at = 0; at < a.length; at++) {
    if (size(at) === 0 || (found.length === shownDifferences && size(at) <= size(found[found.length - 1]))) continue;
    const place = found.findIndex((other) => size(other) < size(at));
    found.splice(place < 0 ? found.length : place, 0, at);
    found.length = Math.min(found.length, shownDifferences);
  }
  return found.map((at) => ({ query: Math.floor(at / keys), key: at % keys, a: a[at], b: b[at] }));
}

/** The difference farthest from 0 of each square. */
function poolDifference(a: Float32Array, b: Float32Array, rows: number, columns: number, block: number): Float32Array {
  const width = Math.ceil(columns / block);
  const pooled = new Float32Array(Math.ceil(rows / block) * width);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const place = Math.floor(row / block) * width + Math.floor(column / block);
      const value = a[row * columns + column] - b[row * columns + column];
      if (Math.abs(value) > Math.abs(pooled[place])) pooled[place] = value;
    }
  }
  return pooled;
}
