import type { RunPatterns } from "./headPattern.js";
import { stackNamed, within } from "./headPattern.js";

/** One head, or the mean over the heads of its layer where none is named. */
export interface LinesPlace {
  readonly stack?: string | undefined;
  readonly layer: number;
  readonly head?: number | undefined;
  readonly prompt?: number | undefined;
}

/** Rows and columns of a pattern, read from where they lie: the pattern is not copied. Padding is left out. */
export interface HeadLines {
  readonly queries: number;
  readonly keys: number;
  /** The largest weight. */
  readonly largest: () => number;
  /** Where a query looks, [K]. */
  readonly row: (query: number) => Float32Array;
  /** Who looks at a key, [Q]. */
  readonly column: (key: number) => Float32Array;
  /** What each key receives: the mean over the queries that may see it, [K]. */
  readonly received: () => Float32Array;
}

/**
 * The rows and columns of one head for one prompt, or of the mean over the heads of a layer.
 *
 *   mean[q,k] = Σ_h A[h,q,k] / H        received[k] = Σ_{q sees k} A[q,k] / |{q sees k}|
 *
 * Throws   OptionError on a head or a prompt that is not there, or where patterns were left out
 */
export function headLines(run: RunPatterns, { stack: name, layer, head, prompt = 0 }: LinesPlace): HeadLines {
  const stack = stackNamed("headLines", run.stacks, name);
  within("headLines", "layer", layer, stack.layers);
  if (head !== undefined) within("headLines", "head", head, stack.heads);
  const whole = run.at(`${stack.path(layer)}.pattern`);
  within("headLines", "prompt", prompt, whole.shape[0]);
  const heads = head === undefined ? Array.from({ length: stack.heads }, (_, h) => h) : [head];
  const matrices = heads.map((h) => whole.slice(prompt, h).data as Float32Array);
  const width = whole.shape[3];
  const queryAt = run.realPositions(prompt, stack.queries);
  const keyAt = run.realPositions(prompt, stack.keys);
  const [queries, keys] = [queryAt.length, keyAt.length];

  const weight = (query: number, key: number): number => {
    const at = queryAt[query] * width + keyAt[key];
    let sum = 0;
    for (const matrix of matrices) sum += matrix[at];
    return sum / matrices.length;
  };
  const row = (query: number): Float32Array => {
    within("headLines", "query", query, queries);
    return new Float32Array(keys).map((_, key) => weight(query, key));
  };
  const hidden = keys - queries;
  return {
    queries,
    keys,
    row,
    largest: () => {
      let top = 0;
      for (let query = 0; query < queries; query++) for (const each of row(query)) if (each > top) top = each;
      return top;
    },
    column: (key) => {
      within("headLines", "key", key, keys);
      return new Float32Array(queries).map((_, query) => weight(query, key));
    },
    received: () => {
      const sums = new Float64Array(keys);
      for (let query = 0; query < queries; query++) row(query).forEach((each, key) => (sums[key] += each));
      const seeing = (key: number): number => (stack.causal ? queries - Math.max(0, key - hidden) : queries);
      return Float32Array.from(sums, (sum, key) => (seeing(key) > 0 ? sum / seeing(key) : 0));
    },
  };
}
