import { checkOptions } from "../tensor/errors.js";
import type { AxisScale } from "./curvesPayload.js";
import type { LiveName } from "./headGridPayload.js";
import { clip, headingCaps, rounded, type Provenance } from "./heading.js";
import { PayloadError } from "./payloadError.js";
import { scatterCaps, scatterVersion, type ScatterPayload } from "./scatterPayload.js";

export { scatterMime, type ScatterPayload } from "./scatterPayload.js";
export { scatterText } from "./scatterText.js";
export { readScatter } from "./readScatter.js";

/** A point; a number that is not finite leaves it undrawn. */
export interface ScatterPoint {
  readonly x: number;
  readonly y: number;
  /** Of a head its name, `3.5`, unless another is given. */
  readonly label?: string;
  readonly head?: { readonly layer: number; readonly head: number };
}

/** What stands around the points. */
export interface ScatterOptions {
  readonly title: string;
  readonly xLabel?: string;
  readonly yLabel?: string;
  /** Default "linear"; a log scale leaves points at or below 0 out, and says so. */
  readonly xScale?: AxisScale;
  readonly yScale?: AxisScale;
  readonly notes?: readonly string[];
  readonly provenance?: Provenance;
  /** The run in whose figures the heads are marked. */
  readonly live?: LiveName | undefined;
}

/**
 * The payload of a scatter.
 *
 * Range    6 significant digits; at most 16 384 points
 * Throws   PayloadError without points, with too many, or where only some of them are heads; OptionError on an unknown option
 * Example  scatter([{ x: 0.1, y: 0.9, head: { layer: 3, head: 5 } }], { title: "Heads of a model", xLabel: "induction" })
 */
export function scatter(points: readonly ScatterPoint[], options: ScatterOptions): ScatterPayload {
  checkOptions("scatter", options, [
    ...["title", "xLabel", "yLabel", "xScale", "yScale", "notes", "provenance", "live"],
  ]);
  const { title, xLabel = "", yLabel = "", xScale = "linear", yScale = "linear" } = options;
  const { notes = [], provenance = {}, live } = options;
  if (points.length < 1 || points.length > scatterCaps.points) {
    throw new PayloadError(`scatter: expected 1…${scatterCaps.points} points, got ${points.length}`);
  }
  const heads = points.flatMap(({ head }) => (head ? [head] : []));
  if (heads.length > 0 && heads.length < points.length) {
    throw new PayloadError(`scatter: expected heads alone or none, got ${heads.length} of ${points.length} points`);
  }
  const named = ({ label, head }: ScatterPoint, at: number): string =>
    label ?? (head ? `${head.layer}.${head.head}` : String(at));
  return {
    view: "scatter",
    version: scatterVersion,
    title: clip(title, headingCaps.titleLength),
    x: { label: clip(xLabel, scatterCaps.labelLength), scale: xScale },
    y: { label: clip(yLabel, scatterCaps.labelLength), scale: yScale },
    points: {
      labels: points.map((point, at) => clip(named(point, at), scatterCaps.labelLength)),
      x: points.map(({ x }) => rounded(x)),
      y: points.map(({ y }) => rounded(y)),
    },
    ...(heads.length > 0
      ? { heads: { layer: heads.map(({ layer }) => layer), head: heads.map(({ head }) => head) } }
      : {}),
    notes: notes.slice(0, headingCaps.notes).map((note) => clip(note, headingCaps.textLength)),
    provenance,
    ...(live ? { live } : {}),
  };
}
