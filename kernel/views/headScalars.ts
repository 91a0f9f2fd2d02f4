/** Per-head numbers of one sample, from full-precision patterns; each array is layer-major, length L·H. */
export interface HeadScalars {
  /** Largest weight anywhere in the pattern. */
  readonly max: readonly number[];
  /** −Σₖ A[q,k] ln A[q,k], nats, mean over queries. */
  readonly entropyNats: readonly number[];
  /** A[q,0], mean over queries. */
  readonly firstTokenMass: readonly number[];
  /** Σ of A[q,k] over special keys, mean over queries; all 0 where the sample has no special key. */
  readonly specialTokenMass: readonly number[];
  /** A[q, position − 1], mean over the queries that have a previous key. */
  readonly previousTokenMass: readonly number[];
  /** Σₖ A[q,k] |position − k|, tokens, mean over queries. */
  readonly meanDistance: readonly number[];
}

/** The names of `HeadScalars`, in the order in which read-outs show them. */
export const headScalarNames: readonly (keyof HeadScalars)[] = [
  "max",
  "entropyNats",
  "firstTokenMass",
  "specialTokenMass",
  "previousTokenMass",
  "meanDistance",
];

/** What `scalarsOfHead` measures of one head. */
export type HeadMeasure = { readonly [Name in keyof HeadScalars]: number };

/**
 * The per-head numbers of one pattern.
 *
 *   position of query q = q + K − Q       (the last query stands at the last key)
 *
 * Shapes   pattern [Q,K] row-major
 * Range    weights are used as they are: a row that does not sum to 1 is not rescaled
 */
export function scalarsOfHead(
  pattern: Float32Array,
  queries: number,
  keys: number,
  specialKeys: readonly number[],
): HeadMeasure {
  let max = 0;
  let entropy = 0;
  let first = 0;
  let special = 0;
  let previous = 0;
  let previousCount = 0;
  let distance = 0;
  for (let query = 0; query < queries; query++) {
    const row = query * keys;
    const position = query + keys - queries;
    for (let key = 0; key < keys; key++) {
      const weight = pattern[row + key];
      if (weight > max) max = weight;
      if (weight > 0) entropy -= weight * Math.log(weight);
      distance += weight * Math.abs(position - key);
    }
    first += pattern[row];
    for (const key of specialKeys) special += pattern[row + key];
    if (position >= 1 && position <= keys) {
      previous += pattern[row + position - 1];
      previousCount++;
    }
  }
  return {
    max,
    entropyNats: entropy / queries,
    firstTokenMass: first / queries,
    specialTokenMass: special / queries,
    previousTokenMass: previousCount ? previous / previousCount : 0,
    meanDistance: distance / queries,
  };
}

const specialSpelling = /^(\[[A-Z][A-Z0-9_]*\]|<\/?[a-z][a-z0-9_]*>|<\|[^|<>]+\|>)$/;

/** Indices of the tokens spelt as special ones: `[SEP]`, `<s>`, `</s>`, `<|endoftext|>`, … */
export function specialKeysOf(tokens: readonly string[]): readonly number[] {
  return tokens.flatMap((token, index) => (specialSpelling.test(token) ? [index] : []));
}
