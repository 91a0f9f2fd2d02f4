import { provenanceText } from "./heading.js";
import type { ScatterPayload } from "./scatterPayload.js";

const shown = 5;

/**
 * A summary of several lines: what the points are, and those with the largest y.
 *
 * Example
 *   Heads of gpt2 · 144 points · previous token over induction
 *     highest previous token: 4.11 (0.02, 0.99) · 2.2 (0.01, 0.6)
 */
export function scatterText(payload: ScatterPayload): string {
  const { title, x, y, points, notes } = payload;
  const known = points.labels.flatMap((label, at) => {
    const [across, up] = [points.x[at], points.y[at]];
    return across === null || up === null ? [] : [{ label, across, up }];
  });
  const highest = [...known].sort((a, b) => b.up - a.up).slice(0, shown);
  const list = highest.map(({ label, across, up }) => `${label} (${short(across)}, ${short(up)})`).join(" · ");
  const [xName, yName] = [x.label || "x", y.label || "y"];
  return [
    `${title} · ${points.labels.length} ${points.labels.length === 1 ? "point" : "points"} · ${yName} over ${xName}`,
    known.length > 0 ? `  highest ${yName}: ${list}` : "  no point has both numbers",
    ...notes,
    ...provenanceText(payload),
  ].join("\n");
}

const short = (value: number): string => String(Number(value.toPrecision(3)));
