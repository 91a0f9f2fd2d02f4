import { provenanceText } from "./heading.js";
import type { HeadPairPayload } from "./headPairPayload.js";
import { visibleToken } from "./visibleToken.js";

const shown = 5;

/**
 * A summary of several lines: what is compared, how far apart the two are, where most.
 *
 * Example
 *   gpt2: L5.H1 − L5.H5
 *     total variation 0.31, Jensen–Shannon divergence 0.14 nats (means over 12 queries)
 *     query 7 "sat" ← key 2 "cat": 0.61 − 0.02
 */
export function headPairText(payload: HeadPairPayload): string {
  const { title, names, totalVariation, jensenShannonNats, largest, queryTokens, keyTokens, notes } = payload;
  const mean = totalVariation.reduce((sum, value) => sum + value, 0) / totalVariation.length;
  const short = (value: number): string => String(Number(value.toPrecision(3)));
  return [
    `${title}: ${names.join(" − ")}`,
    `  total variation ${short(mean)}, Jensen–Shannon divergence ${short(jensenShannonNats)} nats (means over ${totalVariation.length} queries)`,
    ...largest
      .slice(0, shown)
      .map(
        ({ query, key, a, b }) =>
          `  query ${query} ${JSON.stringify(visibleToken(queryTokens[query]))} ← key ${key} ${JSON.stringify(visibleToken(keyTokens[key]))}: ${short(a)} − ${short(b)}`,
      ),
    ...notes,
    ...provenanceText(payload),
  ].join("\n");
}
