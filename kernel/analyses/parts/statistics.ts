import { random } from "../../tensor/index.js";

export const meanOf = (xs: readonly number[]): number => xs.reduce((sum, x) => sum + x, 0) / xs.length;

/**
 * A 95 % interval of a mean over prompts: the 2.5 and 97.5 percent quantiles of means of resampled prompts.
 *
 * Range    NaN for a single prompt
 * Source   the percentile bootstrap: Efron and Tibshirani, "An Introduction to the Bootstrap" (1993) §13.3
 */
export function bootstrapInterval(
  xs: readonly number[],
  seed: number,
  resamples = 1000,
): readonly [low: number, high: number] {
  const n = xs.length;
  if (n < 2) return [NaN, NaN];
  const draws = random(seed).fork("bootstrap").integers([resamples, n], { high: n });
  const means = Array.from({ length: resamples }, (_, r) => {
    let sum = 0;
    for (let i = 0; i < n; i++) sum += xs[draws.data[r * n + i] as number];
    return sum / n;
  }).sort((a, b) => a - b);
  const quantile = (share: number): number => {
    const at = share * (resamples - 1);
    const below = Math.floor(at);
    return means[below] + (at - below) * (means[Math.min(below + 1, resamples - 1)] - means[below]);
  };
  return [quantile(0.025), quantile(0.975)];
}

/**
 * How often a mean at least this far from 0 arises when the sign of each prompt's effect is a coin toss: over all 2ⁿ
 * signs up to 12 prompts, over 4095 drawn ones and the observed one beyond.
 *
 * Range    1 for a single prompt
 * Source   Fisher's randomisation test for paired differences
 */
export function signFlipP(xs: readonly number[], seed: number): number {
  const n = xs.length;
  const observed = Math.abs(xs.reduce((sum, x) => sum + x, 0));
  const slack = 1e-12 * xs.reduce((sum, x) => sum + Math.abs(x), 0);
  const isExtreme = (sign: (i: number) => boolean): boolean =>
    Math.abs(xs.reduce((sum, x, i) => sum + (sign(i) ? x : -x), 0)) >= observed - slack;
  if (n <= 12) {
    let count = 0;
    for (let bits = 0; bits < 2 ** n; bits++) if (isExtreme((i) => ((bits >> i) & 1) === 1)) count++;
    return count / 2 ** n;
  }
  const trials = 4095;
  const signs = random(seed).fork("signs").integers([trials, n], { high: 2 }).data;
  let count = 1;
  for (let t = 0; t < trials; t++) if (isExtreme((i) => signs[t * n + i] === 1)) count++;
  return count / (trials + 1);
}

/**
 * p-values as false discovery rates: the least rate at which each would be called a discovery.
 *
 *   q_(i) = min_{j ≥ i} p_(j) · m / j
 *
 * Source   Benjamini and Hochberg, J. R. Stat. Soc. B 57 (1995) 289
 */
export function falseDiscoveryRates(ps: readonly number[]): readonly number[] {
  const order = [...ps.keys()].sort((a, b) => ps[a] - ps[b]);
  const out = new Array<number>(ps.length);
  let least = 1;
  for (let rank = order.length; rank >= 1; rank--) {
    const at = order[rank - 1];
    least = Math.min(least, (ps[at] * ps.length) / rank);
    out[at] = least;
  }
  return out;
}
