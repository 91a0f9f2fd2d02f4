/** A matrix by columns, each of one length. */
export type Columns = readonly Float64Array[];

/** Singular vectors and values, largest first. */
export interface Svd {
  readonly values: readonly number[];
  /** By value. */
  readonly left: Columns;
  readonly right: Columns;
}

/**
 * The singular values of A Bᵀ from its factors; nothing larger than they are is made.
 *
 *   A = Q_A R_A, B = Q_B R_B, R_A R_Bᵀ = U S Vᵀ, so that A Bᵀ = (Q_A U) S (Q_B V)ᵀ
 *
 * Shapes   a, b: D columns → D values
 * Source   one-sided Jacobi: Golub and Van Loan, "Matrix Computations" (2013) §8.6.3
 */
export function svdOfProduct(a: Columns, b: Columns): Svd {
  const [left, right] = [orthonormal(a), orthonormal(b)];
  // Columns of R_A R_Bᵀ: column j is Σ_k R_A[:,k] R_B[j,k].
  const size = a.length;
  const inner = Array.from({ length: size }, (_, j) => {
    const column = new Float64Array(size);
    for (let k = 0; k < size; k++) for (let i = 0; i < size; i++) column[i] += left.r[k][i] * right.r[k][j];
    return column;
  });
  const turns = Array.from({ length: size }, (_, i) => {
    const unit = new Float64Array(size);
    unit[i] = 1;
    return unit;
  });
  jacobi(inner, turns);
  const sizes = inner.map((column) => Math.hypot(...column));
  const order = [...sizes.keys()].sort((i, j) => sizes[j] - sizes[i]);
  const combine = (basis: Columns, weights: Float64Array, scale: number): Float64Array => {
    const out = new Float64Array(basis[0].length);
    weights.forEach((w, k) => {
      for (let i = 0; i < out.length; i++) out[i] += (w / scale) * basis[k][i];
    });
    return out;
  };
  return {
    values: order.map((i) => sizes[i]),
    left: order.map((i) => combine(left.q, inner[i], sizes[i] === 0 ? 1 : sizes[i])),
    right: order.map((i) => combine(right.q, turns[i], 1)),
  };
}

/** Q with orthonormal columns, 0 where a column depends on those before it, and R by columns. */
function orthonormal(columns: Columns): { readonly q: Columns; readonly r: Columns } {
  const q: Float64Array[] = [];
  const r = columns.map((column) => {
    const rest = column.slice();
    const own = new Float64Array(columns.length);
    // Twice is enough: Parlett, "The Symmetric Eigenvalue Problem" (1998) §6.9.
    for (let round = 0; round < 2; round++) {
      q.forEach((unit, k) => {
        const part = dot(unit, rest);
        own[k] += part;
        for (let i = 0; i < rest.length; i++) rest[i] -= part * unit[i];
      });
    }
    const size = Math.sqrt(dot(rest, rest));
    const isNew = size > 1e-14 * Math.sqrt(dot(column, column));
    own[q.length] = isNew ? size : 0;
    q.push(rest.map((x) => (isNew ? x / size : 0)));
    return own;
  });
  return { q, r };
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

/** Turns pairs of columns until all stand upright on each other; `turns` is turned alike. */
function jacobi(columns: readonly Float64Array[], turns: readonly Float64Array[]): void {
  for (let sweep = 0; sweep < 60; sweep++) {
    let isDone = true;
    for (let i = 0; i < columns.length; i++) {
      for (let j = i + 1; j < columns.length; j++) {
        const [a, b] = [columns[i], columns[j]];
        const [p, x, y] = [dot(a, b), dot(a, a), dot(b, b)];
        if (Math.abs(p) <= 1e-15 * Math.sqrt(x * y) || p === 0) continue;
        isDone = false;
        const zeta = (y - x) / (2 * p);
        const t = Math.sign(zeta || 1) / (Math.abs(zeta) + Math.sqrt(1 + zeta * zeta));
        const c = 1 / Math.sqrt(1 + t * t);
        turn(a, b, c, c * t);
        turn(turns[i], turns[j], c, c * t);
      }
    }
    if (isDone) return;
  }
}

function turn(a: Float64Array, b: Float64Array, c: number, s: number): void {
  for (let i = 0; i < a.length; i++) {
    const [x, y] = [a[i], b[i]];
    a[i] = c * x - s * y;
    b[i] = s * x + c * y;
  }
}
