import type { CurveAxis } from "./curvesPayload.js";
import type { LiveName } from "./headGridPayload.js";
import type { Heading } from "./heading.js";

/** MIME type of a scatter; the major version is part of the name. */
export const scatterMime = "application/vnd.attention-lab.scatter.v1+json";

/** Version of the payload that this build writes: readers accept every 1.x. */
export const scatterVersion = "1.0";

/** Points by two numbers each: heads by two of their scores. Plain JSON. */
export interface ScatterPayload extends Heading<"scatter"> {
  readonly x: CurveAxis;
  readonly y: CurveAxis;
  readonly points: {
    /** `3.5` for head 5 of layer 3. */
    readonly labels: readonly string[];
    /** `null` where there is none. */
    readonly x: readonly (number | null)[];
    readonly y: readonly (number | null)[];
  };
  /** Which head each point is, where they are heads. */
  readonly heads?: { readonly layer: readonly number[]; readonly head: readonly number[] };
  readonly notes: readonly string[];
  /** The run in whose figures the heads are marked. */
  readonly live?: LiveName;
}

/** Upper limits of everything in a payload; a reader refuses more. */
export const scatterCaps: {
  readonly points: number;
  readonly layers: number;
  readonly heads: number;
  readonly labelLength: number;
} = { points: 16_384, layers: 512, heads: 512, labelLength: 128 };
