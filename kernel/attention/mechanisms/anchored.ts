import { build } from "../../graph/index.js";
import { OptionError, wholeNumber } from "../../tensor/index.js";
import { lengthOf, past, places, table } from "../lengths.js";
import type { Mechanism } from "../mechanism.js";
import { mechanism, sizesOf } from "../mechanism.js";
import { dot, normalisedRows, softmaxRow } from "../reference.js";
import type { Scale } from "../steps.js";
import { attendByScores, hideScores, maskedSoftmax, scaleOf } from "../steps.js";

interface AnchoredOptions {
  readonly scale: Scale;
  /** How far below the anchor a score may lie and still be read. */
  readonly threshold: number;
  /** Keys at the beginning, and in blocks with the query, that are always read. */
  readonly block: number;
}

/** Whether a key lies where anchors are looked for: in the first block, or in the query's own. */
function isAnchor(query: number, key: number, block: number): boolean {
  return key <= query && (key < block || Math.floor(key / block) === Math.floor(query / block));
}

/**
 * Softmax over the keys whose scores come near those that are usually the highest: of the first keys and of the nearest.
 *
 *   a_i = max of s[i,j] over the first block and i's own        pattern = softmax over those and over s[i,j] + θ ≥ a_i
 *
 * Which keys are read has no gradient.
 *
 * Range    rows sum to 1
 * Source   AnchorAttention, arXiv:2505.23520 §3.1 and §3.2
 * Differs  every query decides for itself, where the paper decides for blocks of queries by their mean: a block's choice
 *          would depend on later queries. All scores are computed, so nothing is saved here
 */
export const anchored: Mechanism<AnchoredOptions> = mechanism({
  name: "anchored",
  summary: "softmax over keys whose scores come near the first and the nearest ones'",
  source: "arXiv:2505.23520 §3.1–3.2",
  differs: "every query decides for itself; all scores are computed",
  rows: [156],
  defaults: { scale: "1/√D", threshold: 12, block: 128 },
  promises: { sees: "causal", rows: "one", mixesValues: true },
  cost: { time: "T²·D here; T·(kept keys)·D", state: "2·T·D" },
  build: (call, { scale, threshold, block }) => {
    wholeNumber("anchored", "block", block);
    if (!Number.isFinite(threshold)) throw new OptionError(`anchored: threshold must be a number, got ${threshold}`);
    const length = lengthOf("anchored", sizesOf("anchored", call));
    const visible = past(call.q, length);
    const own = table(call.q, [length], (t) => Math.floor(t / block));
    const isFirst = build.less(places(call.q, length), block);
    const region = build.and(visible, build.or(build.equal(build.unsqueeze(own, [1]), own), isFirst));
    return attendByScores(call, scale, (scores) => {
      const anchor = build.reduceMax(hideScores(scores, region), [3], true);
      const near = build.and(visible, build.greaterOrEqual(build.add(scores, threshold), anchor));
      return maskedSoftmax(scores, build.or(region, near));
    });
  },
  reference: (head, { scale, threshold, block }) => {
    const { q, k } = head;
    const factor = scaleOf(scale, q[0].length);
    const score = (i: number, j: number): number => factor * dot(q[i], k[j]);
    const anchors = q.map((_, i) => Math.max(...k.map((__, j) => (isAnchor(i, j, block) ? score(i, j) : -Infinity))));
    const sees = (i: number, j: number): boolean =>
      isAnchor(i, j, block) || (j <= i && score(i, j) + threshold >= anchors[i]);
    return { pattern: normalisedRows({ ...head, sees }, score, softmaxRow) };
  },
  limits: [{ when: "every score is near enough", options: { threshold: 1e9, block: 2 }, equals: "softmax" }],
  alsoAsked: [{ threshold: 0.1, block: 2 }],
});
