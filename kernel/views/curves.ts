import { checkOptions } from "../tensor/errors.js";
import { curvesCaps, curvesVersion, type AxisScale, type CurvesPayload, type StoredCurve } from "./curvesPayload.js";
import { clip, headingCaps, rounded, type Provenance } from "./heading.js";
import { PayloadError } from "./payloadError.js";
import { thinned } from "./thinned.js";

export { curvesMime, type AxisScale, type CurvesPayload, type StoredCurve } from "./curvesPayload.js";
export { curvesText } from "./curvesText.js";
export { readCurves } from "./readCurves.js";

/** A curve as it is given: x does not decrease; what is not finite is a gap. */
export interface Curve {
  readonly name: string;
  readonly x: ArrayLike<number>;
  readonly y: ArrayLike<number>;
  /** The interval around each y: [low, high]. */
  readonly ci?: readonly (readonly [low: number, high: number])[];
}

/** What stands around the curves. */
export interface CurvesOptions {
  readonly title: string;
  /** Default "". */
  readonly xLabel?: string;
  readonly yLabel?: string;
  /** Default "linear". */
  readonly xScale?: AxisScale;
  readonly yScale?: AxisScale;
  /** `"step"`: each y holds until the next x; default "line". */
  readonly shape?: "line" | "step";
  /** What the intervals are, and whatever else a reader must know. */
  readonly notes?: readonly string[];
  /** Default {}. */
  readonly provenance?: Provenance;
  /** Most points stored over all curves, by default 20 000 (about 0.5 MB); longer curves are thinned, their extremes kept. */
  readonly points?: number;
}

/**
 * The payload of curves.
 *
 * Range    at most `points` points, 6 significant digits
 * Throws   PayloadError where x and y differ in length, x decreases or is not finite, or there are no curves;
 *          OptionError on an unknown option
 * Example  curves([{ name: "seed 1", x: steps, y: loss }], { title: "Training", xLabel: "step", yLabel: "loss" })
 */
export function curves(list: readonly Curve[], options: CurvesOptions): CurvesPayload {
  checkOptions("curves", options, [
    ...["title", "xLabel", "yLabel", "xScale", "yScale", "shape", "notes", "provenance", "points"],
  ]);
  const { title, xLabel = "", yLabel = "", xScale = "linear", yScale = "linear", shape = "line" } = options;
  const { notes = [], provenance = {}, points = 20_000 } = options;
  if (list.length < 1 || list.length > curvesCaps.curves) {
    throw new PayloadError(`curves: expected 1…${curvesCaps.curves} curves, got ${list.length}`);
  }
  list.forEach(checkCurve);
  const each = Math.max(8, Math.floor(Math.min(points, curvesCaps.points) / list.length));
  return {
    view: "curves",
    version: curvesVersion,
    title: clip(title, headingCaps.titleLength),
    x: { label: clip(xLabel, curvesCaps.labelLength), scale: xScale },
    y: { label: clip(yLabel, curvesCaps.labelLength), scale: yScale },
    shape,
    curves: list.map((curve) => stored(curve, each)),
    notes: notes.slice(0, headingCaps.notes).map((note) => clip(note, headingCaps.textLength)),
    provenance,
  };
}

function checkCurve({ name, x, y, ci }: Curve): void {
  const place = `curves: "${clip(name, 40)}"`;
  if (x.length !== y.length || x.length < 1 || (ci && ci.length !== x.length)) {
    const intervals = ci ? ` and ${ci.length} intervals` : "";
    throw new PayloadError(
      `${place}: expected as many y as x, at least one, got ${x.length} x, ${y.length} y${intervals}`,
    );
  }
  for (let at = 0; at < x.length; at++) {
    if (!Number.isFinite(x[at]) || (at > 0 && x[at] < x[at - 1])) {
      const before = at > 0 ? ` after ${x[at - 1]}` : "";
      throw new PayloadError(`${place}: expected finite x that do not decrease, got ${x[at]}${before} at point ${at}`);
    }
  }
}

function stored({ name, x, y, ci }: Curve, most: number): StoredCurve {
  const kept = thinned(y, most);
  return {
    name: clip(name, curvesCaps.nameLength),
    x: kept.map((at) => Number(x[at].toPrecision(8))),
    y: kept.map((at) => rounded(y[at])),
    ...(ci ? { low: kept.map((at) => rounded(ci[at][0])), high: kept.map((at) => rounded(ci[at][1])) } : {}),
    ...(kept.length < x.length ? { points: x.length } : {}),
  };
}
