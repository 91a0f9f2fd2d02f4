import type { Value } from "../../graph/index.js";
import { build } from "../../graph/index.js";
import { OptionError } from "../../tensor/index.js";
import type { Mechanism } from "../mechanism.js";
import { mechanism } from "../mechanism.js";
import { dot, normalisedRows } from "../reference.js";
import type { Scale } from "../steps.js";
import { attendByScores, hideScores, hideWeights, scaleOf } from "../steps.js";

/** Halvings that find the support: 2⁻⁴⁰ of an interval of at most 1. */
const halvings = 40;

type Alpha = 1.5 | 2;

function checkAlpha(alpha: Alpha): void {
  if (alpha !== 1.5 && alpha !== 2)
    throw new OptionError(
      `entmax: alpha must be 1.5 or 2, whose threshold is exact, got ${String(alpha)}; 1 is softmax`,
    );
}

/** (α−1)·x − τ above 0, to the power 1/(α−1). */
function excess(x: Value, threshold: Value, alpha: Alpha): Value {
  const above = build.relu(build.sub(x, threshold));
  return alpha === 2 ? above : build.mul(above, above);
}

/**
 * Rows on the simplex with exact zeros. Bisection finds which keys have weight; on those the threshold is a closed form,
 * so that derivatives are exact.
 */
function entmaxRows(scores: Value, mask: Value | undefined, alpha: Alpha): Value {
  const highest = build.reduceMax(hideScores(scores, mask), [-1], true); // [B,H,Q,1]
  // A row without any visible key has no highest one.
  const top = build.where(build.less(highest, -1e30), 0, highest);
  // Relative to the highest score, hidden ones far below every threshold.
  const shifted = build.sub(scores, top);
  const x = build.mul(mask ? build.where(mask, shifted, -1e4) : shifted, alpha - 1);
  let low = build.mul(build.reduceMax(x, [-1], true), 0);
  low = build.sub(low, 1);
  let width = 1;
  for (let turn = 0; turn < halvings; turn++) {
    width /= 2;
    const middle = build.add(low, width);
    const sum = build.reduceSum(excess(x, middle, alpha), [-1], true);
    low = build.where(build.less(sum, 1), low, middle);
  }
  const support = build.cast(build.greater(x, low), x.dtype);
  const found = build.reduceSum(support, [-1], true);
  const count = build.where(build.less(found, 1), 1, found); // no division by 0 where nothing is visible
  const mean = build.div(build.reduceSum(build.mul(x, support), [-1], true), count);
  if (alpha === 2) return hideWeights(excess(x, build.sub(mean, build.reciprocal(count)), alpha), mask);
  const apart = build.mul(build.sub(x, mean), support);
  const spread = build.reduceSum(build.mul(apart, apart), [-1], true);
  const threshold = build.sub(mean, build.sqrt(build.div(build.sub(1, spread), count)));
  return hideWeights(excess(x, threshold, alpha), mask);
}

/** By sorting: the largest set of leading scores whose threshold stays below its own last one. */
function sortedRow(scores: readonly number[], alpha: Alpha): number[] {
  const x = scores.map((score) => (alpha - 1) * score);
  const sorted = [...x].sort((a, b) => b - a);
  let threshold = Number.NaN;
  for (let count = 1; count <= sorted.length; count++) {
    const head = sorted.slice(0, count);
    const mean = head.reduce((a, b) => a + b, 0) / count;
    const spread = head.reduce((sum, y) => sum + (y - mean) ** 2, 0);
    const tau = alpha === 2 ? mean - 1 / count : mean - Math.sqrt((1 - spread) / count);
    if (tau < sorted[count - 1]) threshold = tau;
  }
  return x.map((y) => Math.max(0, y - threshold) ** (1 / (alpha - 1)));
}

interface EntmaxOptions {
  readonly scale: Scale;
  /** 1.5, or 2 for sparsemax. */
  readonly alpha: Alpha;
}

/**
 * Sparse attention by Tsallis entropies: weights of exactly 0 without a cut-off. α = 2 is sparsemax.
 *
 *   pattern[i,j] = max(0, (α−1)·s[i,j] − τ_i)^(1/(α−1)),  τ_i such that the row sums to 1
 *
 * Range    rows sum to 1; a row with every key hidden is all 0
 * Throws   OptionError unless α is 1.5 or 2
 * Source   arXiv:1905.05702 eq. 11 and algorithm 1; sparsemax arXiv:1602.02068 algorithm 1
 */
export const entmax: Mechanism<EntmaxOptions> = mechanism({
  name: "entmax",
  summary: "rows on the simplex with exact zeros",
  source: "arXiv:1905.05702 eq. 11",
  defaults: { scale: "1/√D", alpha: 1.5 },
  promises: { sees: "mask", rows: "one", mixesValues: true },
  cost: { time: "T²·D", state: "2·T·D" },
  build: (call, { scale, alpha }) => {
    checkAlpha(alpha);
    return attendByScores(call, scale, (scores, mask) => entmaxRows(scores, mask, alpha));
  },
  reference: (head, { scale, alpha }) => {
    const factor = scaleOf(scale, head.q[0].length);
    const row = (scores: readonly number[]): number[] => sortedRow(scores, alpha);
    return { pattern: normalisedRows(head, (i, j) => factor * dot(head.q[i], head.k[j]), row) };
  },
  limits: [],
});
