import type { CurvesPayload, StoredCurve } from "./curvesPayload.js";
import { provenanceText } from "./heading.js";

const shownCurves = 12;

/**
 * A summary of several lines: each curve with its ends and its extremes.
 *
 * Example
 *   Training · loss over step
 *     seed 1  1000 points: 4.21 at 0 → 0.031 at 999; least 0.03 at 990, greatest 4.21 at 0
 */
export function curvesText(payload: CurvesPayload): string {
  const { title, x, y, curves, notes } = payload;
  const axes = [y.label, x.label].filter(Boolean).join(" over ");
  const width = Math.max(...curves.slice(0, shownCurves).map(({ name }) => name.length));
  return [
    [title, axes].filter(Boolean).join(" · "),
    ...curves.slice(0, shownCurves).map((curve) => `  ${curve.name.padEnd(width)}  ${curveText(curve)}`),
    ...(curves.length > shownCurves ? [`  … ${curves.length - shownCurves} more`] : []),
    ...notes,
    ...provenanceText(payload),
  ].join("\n");
}

function curveText({ x, y, points }: StoredCurve): string {
  const known = y.flatMap((value, at) => (value === null ? [] : [{ x: x[at], value }]));
  const first = known[0];
  const last = known.at(-1);
  const count = `${points ?? y.length} ${(points ?? y.length) === 1 ? "point" : "points"}`;
  if (!first || !last) return `${count}, none of them finite`;
  const least = known.reduce((best, each) => (each.value < best.value ? each : best));
  const greatest = known.reduce((best, each) => (each.value > best.value ? each : best));
  const at = (point: { readonly x: number; readonly value: number }): string =>
    `${short(point.value)} at ${short(point.x)}`;
  return `${count}: ${at(first)} → ${at(last)}; least ${at(least)}, greatest ${at(greatest)}`;
}

const short = (value: number): string => String(Number(value.toPrecision(4)));
