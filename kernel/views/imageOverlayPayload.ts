import type { LiveName } from "./headGridPayload.js";
import type { Heading } from "./heading.js";
import type { StoredPatterns } from "./patternStore.js";

/** MIME type of attention over a picture; the major version is part of the name. */
export const imageOverlayMime = "application/vnd.attention-lab.image-overlay.v1+json";

/** Version of the payload that this build writes: readers accept every 1.x. */
export const imageOverlayVersion = "1.0";

/** A picture as the model saw it, and the attention between its patches. Plain JSON. */
export interface ImageOverlayPayload extends Heading<"image-overlay"> {
  /** One byte for each pixel in base64, row by row: places in `pictureTable()`. */
  readonly picture: { readonly width: number; readonly height: number; readonly data: string };
  /** What an annotator saw, of any size: a bit for each pixel, row by row, the highest bit of a byte first, in base64. */
  readonly mask?: { readonly width: number; readonly height: number; readonly data: string };
  /** How the patches lie. */
  readonly grid: { readonly rows: number; readonly columns: number };
  /** What attends: `[CLS]` where there is one, then the patches row by row. */
  readonly queries: readonly string[];
  /** A column for each property: heads, means of heads (head −1), and what else attention was made into (layer −1). */
  readonly maps: {
    readonly name: readonly string[];
    readonly layer: readonly number[];
    readonly head: readonly number[];
    /** Largest weight. */
    readonly max: readonly number[];
  };
  /** [map, query, patch]. */
  readonly weights: StoredPatterns;
  readonly notes: readonly string[];
  readonly live?: LiveName;
}

/** Upper limits of everything in a payload; a reader refuses more. */
export const imageOverlayCaps: {
  readonly side: number;
  readonly patches: number;
  readonly maps: number;
  readonly nameLength: number;
  readonly dataLength: number;
} = { side: 1_024, patches: 16_384, maps: 4_096, nameLength: 64, dataLength: 16 << 20 };
