/** Rows of one head: [T][D]. */
export type Rows = readonly (readonly number[])[];

/** One head as plain numbers, for the float64 references. */
export interface ReferenceHead {
  readonly q: Rows;
  readonly k: Rows;
  readonly v: Rows;
  readonly sees: (query: number, key: number) => boolean;
  /** Index of this head, and how many there are. */
  readonly head: number;
  readonly heads: number;
  /** Whole parameters, row-major. */
  readonly parameters: Readonly<Record<string, readonly number[]>>;
  /** This head's gates, [K] or [K][D]. */
  readonly gates: Readonly<Record<string, Rows>>;
  /** The whole sequence, for mechanisms whose heads look at each other: rows of each head, key and value head, each head's gates. */
  readonly all: {
    readonly q: readonly Rows[];
    readonly k: readonly Rows[];
    readonly v: readonly Rows[];
    readonly gates: readonly Readonly<Record<string, Rows>>[];
  };
}

export interface ReferenceResult {
  /** [Q][K] */
  readonly pattern: Rows;
  /** [Q][E]; pattern · v where left out. */
  readonly z?: Rows;
}

export function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, x, i) => sum + x * b[i], 0);
}

/** a · b for rows a [n][m] and b [m][p]. */
export function product(a: Rows, b: Rows): number[][] {
  const width = b[0]?.length ?? 0;
  return a.map((row) => Array.from({ length: width }, (_, c) => row.reduce((sum, x, i) => sum + x * b[i][c], 0)));
}

/** A number for every query and visible key; hidden ones are 0. */
export function weightsOf({ q, k, sees }: ReferenceHead, weight: (query: number, key: number) => number): number[][] {
  return q.map((_, i) => k.map((_, j) => (sees(i, j) ? weight(i, j) : 0)));
}

/** Each row of visible scores through `normalise`; hidden keys get 0, a row without any visible key is all 0. */
export function normalisedRows(
  head: ReferenceHead,
  score: (query: number, key: number) => number,
  normalise: (scores: readonly number[], query: number) => readonly number[],
): number[][] {
  const { q, k, sees } = head;
  return q.map((_, i) => {
    const visible = k.flatMap((_, j) => (sees(i, j) ? [j] : []));
    const weights =
      visible.length === 0
        ? []
        : normalise(
            visible.map((j) => score(i, j)),
            i,
          );
    const row = new Array<number>(k.length).fill(0);
    visible.forEach((j, at) => (row[j] = weights[at]));
    return row;
  });
}

/** exp(s) / Σ exp(s), in the stable way. */
export function softmaxRow(scores: readonly number[]): number[] {
  const top = Math.max(...scores);
  const powers = scores.map((score) => Math.exp(score - top));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / sum);
}
