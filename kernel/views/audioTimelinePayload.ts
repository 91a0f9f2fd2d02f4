import type { LiveName } from "./headGridPayload.js";
import type { Heading } from "./heading.js";
import type { StoredPatterns } from "./patternStore.js";

/** MIME type of attention over a sound; the major version is part of the name. */
export const audioTimelineMime = "application/vnd.attention-lab.audio-timeline.v1+json";

/** Version of the payload that this build writes: readers accept every 1.x. */
export const audioTimelineVersion = "1.0";

/** Where each written token listens. Plain JSON. */
export interface AudioTimelinePayload extends Heading<"audio-timeline"> {
  /** The frames that are shown, from the beginning of the sound; weights of `block` frames share a column, the largest of them. */
  readonly time: { readonly frames: number; readonly secondsPerFrame: number; readonly block: number };
  readonly tokens: readonly string[];
  /** A column for each property: heads, and means of heads (head −1) of a layer or of several (layer −1). */
  readonly maps: {
    readonly name: readonly string[];
    readonly layer: readonly number[];
    readonly head: readonly number[];
    /** Largest weight. */
    readonly max: readonly number[];
    /** [map, token]: the frame of the largest weight, and the sum over the shown frames. */
    readonly peak: readonly number[];
    readonly mass: readonly number[];
  };
  /** [map, token, column]. */
  readonly weights: StoredPatterns;
  /** What was heard, [bin, column], low pitches first: one byte each in base64, from the softest to the loudest. */
  readonly sound?: { readonly bins: number; readonly columns: number; readonly data: string };
  /** When each token begins, in seconds, by an alignment. */
  readonly starts?: readonly number[];
  readonly notes: readonly string[];
  readonly live?: LiveName;
}

/** Upper limits of everything in a payload; a reader refuses more. */
export const audioTimelineCaps: {
  readonly tokens: number;
  readonly tokenLength: number;
  readonly frames: number;
  readonly maps: number;
  readonly nameLength: number;
  readonly bins: number;
  readonly dataLength: number;
} = { tokens: 4_096, tokenLength: 128, frames: 65_536, maps: 1_024, nameLength: 64, bins: 256, dataLength: 16 << 20 };
