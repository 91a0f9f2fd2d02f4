import { evaluate } from "../../graph/index.js";
import { waysOf } from "./agrees.js";
import { caseOf } from "./case.js";
import type { Law } from "./law.js";

/** Rows sum to what is promised; hidden keys weigh exactly 0, and so does every key of a query that sees none. */
export const rows: Law = {
  name: "rows sum as promised, hidden keys weigh 0",
  check: (unit) => {
    for (const sees of waysOf(unit)) {
      const given = caseOf(unit, { sees });
      const [queries, keys] = [given.sizes.queries as number, given.sizes.keys as number];
      const weights = evaluate({ pattern: unit.attend(given.call).pattern }, given.feeds)["pattern"].data;
      for (let at = 0; at < weights.length; at += keys) {
        const query = (at / keys) % queries;
        const row = weights.subarray(at, at + keys);
        const leak = row.findIndex((weight, key) => !given.sees(query, key) && weight !== 0);
        if (leak >= 0) return `query ${query} gives ${row[leak].toPrecision(3)} to key ${leak}, which it does not see`;
        if (unit.promises.rows === "free" || row.every((_, key) => !given.sees(query, key))) continue;
        const negative = row.find((weight) => weight < 0);
        if (negative !== undefined) return `query ${query} has a weight of ${negative.toPrecision(3)}`;
        const sum = row.reduce((a, b) => a + b, 0);
        const isRight = unit.promises.rows === "one" ? Math.abs(sum - 1) < 1e-9 : sum <= 1 + 1e-9;
        if (!isRight) return `the row of query ${query} sums to ${sum.toPrecision(6)}, promised ${unit.promises.rows}`;
      }
    }
    return undefined;
  },
};
