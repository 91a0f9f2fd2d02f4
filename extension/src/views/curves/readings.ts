import { tickText } from "attention-lab/figure";
import type { CurvesPayload, StoredCurve } from "attention-lab/views";

/** What the curves say at one x. */
export interface CurveReadings {
  /** The nearest x at which a shown curve has a point. */
  readonly x: number;
  readonly readings: readonly { readonly curve: number; readonly text: string }[];
}

/** Every shown curve at the point nearest to an x; for steps at the last point not after it. */
export function readingsAt(payload: CurvesPayload, x: number, hidden: ReadonlySet<number>): CurveReadings {
  const shown = payload.curves.flatMap((curve, at) => (hidden.has(at) ? [] : [{ curve, at }]));
  const points = shown.map(({ curve, at }) => ({ curve, at, point: nearest(curve.x, x, payload.shape === "step") }));
  const xs = points.map(({ curve, point }) => curve.x[point] ?? x);
  const best = xs.reduce((one, other) => (Math.abs(other - x) < Math.abs(one - x) ? other : one), xs[0] ?? x);
  return { x: best, readings: points.map(({ curve, at, point }) => ({ curve: at, text: valueText(curve, point) })) };
}

/** The place of the x nearest to a number in a list that does not decrease. */
export function nearest(xs: readonly number[], x: number, before: boolean): number {
  let [low, high] = [0, xs.length - 1];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((xs[middle] ?? Infinity) <= x) low = middle;
    else high = middle - 1;
  }
  const next = xs[low + 1];
  return !before && next !== undefined && Math.abs(next - x) < Math.abs((xs[low] ?? x) - x) ? low + 1 : low;
}

function valueText({ y, low, high }: StoredCurve, at: number): string {
  const value = y[at];
  if (typeof value !== "number") return "–";
  const [from, to] = [low?.[at], high?.[at]];
  const interval = typeof from === "number" && typeof to === "number" ? ` (${tickText(from)} … ${tickText(to)})` : "";
  return tickText(value) + interval;
}
