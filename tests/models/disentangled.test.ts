import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { relativeRow } from "../../kernel/lib/models/disentangled.js";
import { oracles } from "./oracle.js";

interface Recorded {
  readonly first: number;
  readonly cases: readonly { readonly buckets: number; readonly farthest: number; readonly rows: readonly number[] }[];
}

it("every distance of DeBERTa's sizes has the row that transformers gives it", () => {
  const { first, cases } = JSON.parse(readFileSync(join(oracles, "disentangled.json"), "utf8")) as Recorded;
  expect(cases).toHaveLength(2);
  for (const { buckets, farthest, rows } of cases) {
    expect(rows.map((_, i) => relativeRow(first + i, { span: buckets, buckets, farthest }))).toEqual(rows);
  }
});

it("without buckets each distance has its own row, up to the span", () => {
  const rows = [-9, -3, -1, 0, 2, 3, 9].map((d) => relativeRow(d, { span: 3, buckets: undefined, farthest: 3 }));
  expect(rows).toEqual([0, 0, 2, 3, 5, 5, 5]);
});
