import type { Heading } from "./heading.js";

/** MIME type of curves; the major version is part of the name. */
export const curvesMime = "application/vnd.attention-lab.curves.v1+json";

/** Version of the payload that this build writes: readers accept every 1.x. */
export const curvesVersion = "1.0";

/** How numbers are laid along an axis. */
export type AxisScale = "linear" | "log";

/** What an axis says. */
export interface CurveAxis {
  readonly label: string;
  readonly scale: AxisScale;
}

/** One curve; x does not decrease, and `null` is a gap. */
export interface StoredCurve {
  readonly name: string;
  readonly x: readonly number[];
  readonly y: readonly (number | null)[];
  /** An interval around each y, such as the 95 % interval over seeds. */
  readonly low?: readonly (number | null)[];
  readonly high?: readonly (number | null)[];
  /** How many points the curve was made of, where fewer are stored. */
  readonly points?: number;
}

/** Numbers against a number: training losses, sink rates, norms by layer. Plain JSON. */
export interface CurvesPayload extends Heading<"curves"> {
  readonly x: CurveAxis;
  readonly y: CurveAxis;
  /** `"step"`: each y holds until the next x. */
  readonly shape: "line" | "step";
  readonly curves: readonly StoredCurve[];
  /** What the intervals are, and whatever else a reader must know. */
  readonly notes: readonly string[];
}

/** Upper limits of everything in a payload; a reader refuses more. */
export const curvesCaps: {
  readonly curves: number;
  readonly points: number;
  readonly nameLength: number;
  readonly labelLength: number;
} = { curves: 64, points: 200_000, nameLength: 128, labelLength: 128 };
