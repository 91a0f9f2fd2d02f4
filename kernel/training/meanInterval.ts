/** 97.5 % quantiles of Student's t for 1 … 30 degrees of freedom; the normal one beyond. */
const quantiles = [
  12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.16, 2.145, 2.131, 2.12, 2.11,
  2.101, 2.093, 2.086, 2.08, 2.074, 2.069, 2.064, 2.06, 2.056, 2.052, 2.048, 2.045, 2.042,
];

/**
 * A 95 % interval of a mean of a few numbers, taken as normal.
 *
 *   x̄ ± t · s / √n
 *
 * Range    NaN for fewer than two numbers
 * Source   Student, Biometrika 6 (1908) 1
 */
export function meanInterval(xs: readonly number[]): readonly [low: number, high: number] {
  const n = xs.length;
  if (n < 2) return [NaN, NaN];
  const mean = xs.reduce((sum, x) => sum + x, 0) / n;
  const variance = xs.reduce((sum, x) => sum + (x - mean) ** 2, 0) / (n - 1);
  const half = (quantiles[n - 2] ?? 1.96) * Math.sqrt(variance / n);
  return [mean - half, mean + half];
}
