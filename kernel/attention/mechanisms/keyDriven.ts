import type { Value } from "../../graph/index.js";
import { build } from "../../graph/index.js";
import { OptionError } from "../../tensor/index.js";
import { table } from "../lengths.js";
import type { Mechanism } from "../mechanism.js";
import { mechanism, sizesOf } from "../mechanism.js";
import type { Rows } from "../reference.js";
import { dot, product, softmaxRow } from "../reference.js";
import type { Scale } from "../steps.js";
import { attendByScores, maskedSoftmax, perHead, scaleOf } from "../steps.js";

interface KeyDrivenOptions {
  readonly scale: Scale;
  /** How many query heads each key head serves: by the size of its keys, or as many each. */
  readonly allocation: "key norms" | "uniform";
}

/** Query heads of each key head, [B,G]; they sum to `heads`. */
function allocated(k: Value, heads: number): Value {
  const groups = k.shape[1] as number;
  const norms = build.sqrt(build.reduceSum(build.mul(k, k), [2, 3])); // [B,G]
  const least = build.reduceMin(norms, [1], true);
  const range = build.sub(build.reduceMax(norms, [1], true), least);
  const isFlat = build.lessOrEqual(range, 0);
  const above = build.where(isFlat, 1, build.div(build.sub(norms, least), build.where(isFlat, 1, range)));
  let counts = build.round(build.mul(build.div(above, build.reduceSum(above, [1], true)), heads));
  // Rounding leaves at most half a head per group too many or too few.
  for (let turn = 0; turn < groups; turn++) {
    const sum = build.reduceSum(counts, [1], true);
    const most = build.oneHot(build.argMax(counts, 1), groups, k.dtype);
    const fewest = build.oneHot(build.argMax(build.neg(counts), 1), groups, k.dtype);
    const change = build.where(
      build.greater(sum, heads),
      build.neg(most),
      build.where(build.less(sum, heads), fewest, 0),
    );
    counts = build.add(counts, change);
  }
  return counts;
}

/** To the nearest whole number, ties to even. */
function rounded(x: number): number {
  const low = Math.floor(x);
  if (x - low !== 0.5) return Math.round(x);
  return low % 2 === 0 ? low : low + 1;
}

/** The same in plain numbers. */
export function allocatedHeads(keys: readonly Rows[], heads: number): number[] {
  const norms = keys.map((rows) => Math.sqrt(rows.reduce((sum, row) => sum + dot(row, row), 0)));
  const [least, most] = [Math.min(...norms), Math.max(...norms)];
  const above = norms.map((norm) => (most > least ? (norm - least) / (most - least) : 1));
  const total = above.reduce((a, b) => a + b, 0);
  const counts = above.map((x) => rounded((x / total) * heads));
  for (;;) {
    const excess = counts.reduce((a, b) => a + b, 0) - heads;
    if (excess === 0) return counts;
    const at = counts.indexOf(excess > 0 ? Math.max(...counts) : Math.min(...counts));
    counts[at] -= Math.sign(excess);
  }
}

/**
 * Grouped queries whose groups differ in size: a key head of large keys serves more query heads.
 *
 *   n_g = ‖k_g‖_F   heads of g = round(H · (n_g − min n)/Σ(n − min n)), then one more or less where the sum is not H
 *
 * The allocation has no gradient. The key head of the smallest norm serves no head, but where all are equal.
 *
 * Range    rows sum to 1
 * Source   Key-Driven Grouped Query Attention, arXiv:2408.08454 §3.1
 * Differs  norms are of each sequence, not of the batch, so that a prediction does not depend on what else is in it; equal
 *          norms give equal groups, where the authors' code does not end
 */
export const keyDriven: Mechanism<KeyDrivenOptions> = mechanism<KeyDrivenOptions>({
  name: "keyDriven",
  summary: "key heads serve more query heads the larger their keys are",
  source: "arXiv:2408.08454 §3.1",
  differs: "norms are of each sequence, not of the batch; equal norms give equal groups",
  rows: [51],
  defaults: { scale: "1/√D", allocation: "key norms" },
  promises: { sees: "all", rows: "one", mixesValues: false },
  cost: { time: "T²·D", state: "2·T·D, per key head" },
  build: ({ q, k, v }, { scale, allocation }) => {
    if (allocation !== "key norms" && allocation !== "uniform")
      throw new OptionError(`keyDriven: allocation must be "key norms" or "uniform", got "${String(allocation)}"`);
    const { heads, keyHeads, valueHeads } = sizesOf("keyDriven", { q, k, v });
    if (keyHeads !== valueHeads)
      throw new OptionError(`keyDriven: needs as many key as value heads, got ${keyHeads} and ${valueHeads}`);
    if (allocation === "uniform")
      return attendByScores({ q, k: perHead(k, heads), v: perHead(v, heads) }, scale, maskedSoftmax);
    const counts = allocated(k, heads);
    const until = build.cumSum(counts, 1); // [B,G]
    const head = table(q, [heads, 1], (h) => h);
    const serves = build.and(
      build.less(head, build.unsqueeze(until, [1])),
      build.greaterOrEqual(head, build.unsqueeze(build.sub(until, counts), [1])),
    );
    const share = build.cast(serves, q.dtype); // [B,H,G], one 1 per head
    const served = (x: Value): Value => build.einsum("bhg,bgkd->bhkd", share, x);
    return attendByScores({ q, k: served(k), v: served(v) }, scale, maskedSoftmax);
  },
  reference: ({ q, head, heads, all }, { scale, allocation }) => {
    const factor = scaleOf(scale, q[0].length);
    const even = all.k.map(() => heads / all.k.length);
    const counts = allocation === "uniform" ? even : allocatedHeads(all.k, heads);
    let group = 0;
    for (let until = counts[0]; until <= head; until += counts[group]) group++;
    const pattern = q.map((query) => softmaxRow(all.k[group].map((key) => factor * dot(query, key))));
    return { pattern, z: product(pattern, all.v[group]) };
  },
  limits: [{ when: "every key head serves as many", options: { allocation: "uniform" }, equals: "softmax" }],
});
