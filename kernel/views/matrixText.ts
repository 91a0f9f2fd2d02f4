import { provenanceText } from "./heading.js";
import type { MatrixPayload } from "./matrixPayload.js";

const shown = 5;

/**
 * A summary of several lines: what the numbers are, their range, the largest.
 *
 * Example
 *   Patching of gpt2 · share recovered · 12 layer × 12 head
 *     −0.12 … 0.61; largest: L9 H6 0.61 · L9 H9 0.58
 */
export function matrixText(payload: MatrixPayload): string {
  const { title, measure, rows, columns, values, notes } = payload;
  const known = values.flatMap((value, at) => (value === null ? [] : [{ value, at }]));
  const order = [...known].sort((a, b) => Math.abs(b.value) - Math.abs(a.value)).slice(0, shown);
  const ends = known.reduce(
    ([low, high], { value }) => [Math.min(low, value), Math.max(high, value)],
    [Infinity, -Infinity],
  );
  const name = (at: number): string =>
    `${rows.labels[Math.floor(at / columns.labels.length)]} ${columns.labels[at % columns.labels.length]}`;
  const largest = order.map(({ value, at }) => `${name(at)} ${short(value)}`).join(" · ");
  return [
    [title, measure, `${rows.labels.length} × ${columns.labels.length} (${rows.name} × ${columns.name})`].join(" · "),
    known.length > 0 ? `  ${ends.map(short).join(" … ")}; largest: ${largest}` : "  no value is finite",
    ...notes,
    ...provenanceText(payload),
  ].join("\n");
}

const short = (value: number): string => String(Number(value.toPrecision(3)));
