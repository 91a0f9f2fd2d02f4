import { provenanceText } from "./heading.js";
import type { AblationTablePayload } from "./ablationTablePayload.js";

const shown = 5;

/**
 * A summary of several lines: the metric, and the largest effects of each mode.
 *
 * Example
 *   gpt2 · logit difference 3.21 as it is, over 50 prompts
 *     zero: L9.H9 −1.2 (−1.4 … −1) · L9.H6 −0.8 (−1 … −0.6)
 */
export function ablationTableText(payload: AblationTablePayload): string {
  const { title, metric, clean, modes, columns, notes } = payload;
  const known = clean.flatMap((value) => (value === null ? [] : [value]));
  const mean = known.reduce((sum, value) => sum + value, 0) / known.length;
  return [
    `${title} · ${metric} ${short(mean)} as it is, over ${clean.length} ${clean.length === 1 ? "prompt" : "prompts"}`,
    ...modes.map((mode, index) => {
      const rows = columns.mode.flatMap((of, row) => (of === index ? [row] : []));
      const largest = rows.sort((a, b) => size(columns.effect[b]) - size(columns.effect[a])).slice(0, shown);
      return `  ${mode}: ${largest.map((row) => rowText(payload, row)).join(" · ")}`;
    }),
    ...notes,
    ...provenanceText(payload),
  ].join("\n");
}

function rowText({ columns }: AblationTablePayload, row: number): string {
  const [low, high] = [columns.low[row], columns.high[row]];
  const interval = low === null || high === null ? "" : ` (${short(low)} … ${short(high)})`;
  return `L${columns.layer[row]}.H${columns.head[row]} ${short(columns.effect[row])}${interval}`;
}

const size = (value: number | null): number => Math.abs(value ?? 0);

const short = (value: number | null): string =>
  value === null || Number.isNaN(value) ? "–" : String(Number(value.toPrecision(3)));
