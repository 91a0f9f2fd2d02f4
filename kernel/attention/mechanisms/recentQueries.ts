import { build } from "../../graph/index.js";
import { OptionError, wholeNumber } from "../../tensor/index.js";
import { lengthOf, table } from "../lengths.js";
import type { Mechanism } from "../mechanism.js";
import { mechanism, sizesOf } from "../mechanism.js";
import { dot, normalisedRows, softmaxRow } from "../reference.js";
import type { Scale } from "../steps.js";
import { maskedSoftmax, mixed, products, scaleOf } from "../steps.js";

interface RecentQueriesOptions {
  readonly scale: Scale;
  /** Over how many of the last tokens the long query is a mean. */
  readonly window: number;
  /** Share of the short query, that of the token alone. */
  readonly short: number;
}

/**
 * A query that stands for the last few tokens, beside that of the token alone.
 *
 *   q̄_i = mean of q over the last L tokens up to i        pattern = α · softmax(q·kᵀ) + (1 − α) · softmax(q̄·kᵀ), nothing later
 *
 * Range    rows sum to 1
 * Source   multi-query self-attention of MQSA-TED, arXiv:2311.01056 §3
 * Differs  patterns are mixed, of the same values; both queries use one projection
 */
export const recentQueries: Mechanism<RecentQueriesOptions> = mechanism<RecentQueriesOptions>({
  name: "recentQueries",
  summary: "a query that stands for the last few tokens, beside that of the token alone",
  source: "arXiv:2311.01056 §3",
  differs: "patterns are mixed, of the same values; both queries use one projection",
  rows: [172],
  defaults: { scale: "1/√D", window: 3, short: 0.5 },
  promises: { sees: "causal", rows: "one", mixesValues: true },
  cost: { time: "2·T²·D", state: "T·2·D + L·D" },
  held: ({ heads, keyHeads, valueHeads, headDim, valueDim, keys }, { window }) =>
    keys * (keyHeads * headDim + valueHeads * valueDim) + window * heads * headDim,
  build: ({ q, k, v }, { scale, window, short }) => {
    wholeNumber("recentQueries", "window", window);
    if (!(short >= 0 && short <= 1)) throw new OptionError(`recentQueries: short must be from 0 to 1, got ${short}`);
    const sizes = sizesOf("recentQueries", { q, k, v });
    const length = lengthOf("recentQueries", sizes);
    const padded = build.pad(q, [[0, 0], [0, 0], [window - 1, 0], [0, 0]]); // prettier-ignore
    const last = Array.from({ length: window }, (_, at) => build.slice(padded, 2, at, at + length));
    const counts = table(q, [length, 1], (i) => Math.min(window, i + 1));
    const recent = build.div(
      last.reduce((a, b) => build.add(a, b)),
      counts,
    );
    const isPast = build.lessOrEqual(
      table(q, [1, length], (_, j) => j),
      table(q, [length, 1], (i) => i),
    );
    const pattern = (queries: typeof q): typeof q =>
      maskedSoftmax(build.mul(products(queries, k), scaleOf(scale, sizes.headDim)), isPast);
    const both = build.add(build.mul(pattern(q), short), build.mul(pattern(recent), 1 - short));
    return { pattern: both, z: mixed(both, v) };
  },
  reference: (given, { scale, window, short }) => {
    const { q, k } = given;
    const factor = scaleOf(scale, q[0].length);
    const shown = { ...given, sees: (i: number, j: number) => j <= i };
    const mean = q.map((_, i) => {
      const last = q.slice(Math.max(0, i - window + 1), i + 1);
      return q[0].map((__, d) => last.reduce((sum, row) => sum + row[d], 0) / last.length);
    });
    const [own, recent] = [q, mean].map((queries) =>
      normalisedRows(shown, (i, j) => factor * dot(queries[i], k[j]), softmaxRow),
    );
    return { pattern: own.map((row, i) => row.map((x, j) => short * x + (1 - short) * recent[i][j])) };
  },
  limits: [
    { when: "it stands for one token", options: { window: 1 }, equals: "softmax" },
    { when: "only the short query counts", options: { short: 1 }, equals: "softmax" },
  ],
});
