import { checkOptions } from "../tensor/errors.js";
import { decodeBase64, encodeBase64 } from "./base64.js";
import { encodeSqrt8 } from "./companding.js";
import type { LiveName } from "./headGridPayload.js";
import { clip, headingCaps, type Provenance } from "./heading.js";
import { imageOverlayCaps, imageOverlayVersion, type ImageOverlayPayload } from "./imageOverlayPayload.js";
import { pictureIndices, smallerPicture, type PixelPicture } from "./pictureColours.js";
import { PayloadError } from "./payloadError.js";
import { readImageOverlay } from "./readImageOverlay.js";

export { imageOverlayMime, type ImageOverlayPayload } from "./imageOverlayPayload.js";
export { imageOverlayText } from "./imageOverlayText.js";
export { pictureIndices, pictureTable, smallerPicture, type PixelPicture } from "./pictureColours.js";
export { readImageOverlay } from "./readImageOverlay.js";

/** Attention of all queries to all patches. */
export interface OverlayMap {
  readonly name: string;
  /** −1, as is `head`, where the map is not of one. */
  readonly layer: number;
  readonly head: number;
  /** [query, patch] row-major. */
  readonly weights: Float32Array;
}

/** Which pixels belong to something: not 0 where they do, row by row over the whole picture. */
export interface PixelMask {
  readonly width: number;
  readonly height: number;
  readonly data: ArrayLike<number>;
}

/** What stands around the picture. */
export interface ImageOverlayOptions {
  readonly title: string;
  readonly notes?: readonly string[];
  readonly provenance?: Provenance;
  /** Whose outline is drawn. */
  readonly mask?: PixelMask | undefined;
  /** The run in whose figures heads are chosen. */
  readonly live?: LiveName | undefined;
}

/** Pixels on the longer side that are stored, and bytes that weights may take. */
const [longest, mostBytes] = [256, 820_000];

/** How many maps of so many weights fit into a payload. */
export function mapsThatFit(weightCount: number): number {
  return Math.floor(mostBytes / ((weightCount * 4) / 3));
}

/**
 * The payload of attention over a picture; weights in 8 bits on a square-root scale.
 *
 * Shapes   maps [query, patch]
 * Range    below 1 MB; |error| ≤ 0.004 of a map's largest weight
 * Throws   PayloadError where sizes do not agree, or maps are more than fit; OptionError on an unknown option
 */
export function imageOverlay(
  picture: PixelPicture,
  grid: ImageOverlayPayload["grid"],
  queries: readonly string[],
  maps: readonly OverlayMap[],
  options: ImageOverlayOptions,
): ImageOverlayPayload {
  checkOptions("imageOverlay", options, ["title", "notes", "provenance", "mask", "live"]);
  const { title, notes = [], provenance = {}, mask, live } = options;
  const patches = grid.rows * grid.columns;
  const size = queries.length * patches;
  if (maps.length < 1 || maps.length > Math.max(1, mapsThatFit(size))) {
    throw new PayloadError(
      `image overlay: expected 1…${mapsThatFit(size)} maps of ${size} weights, got ${maps.length}`,
    );
  }
  const odd = maps.find(
    ({ weights }) => weights.length !== size || !weights.every((weight) => weight >= 0 && weight < Infinity),
  );
  if (odd) throw new PayloadError(`image overlay: expected ${size} finite weights ≥ 0 in "${clip(odd.name, 40)}"`);
  const small = smallerPicture(picture, longest);
  const max = maps.map(({ weights }) => weights.reduce((most, weight) => Math.max(most, weight), 0));
  const bytes = new Uint8Array(maps.length * size);
  maps.forEach(({ weights }, at) => bytes.set(encodeSqrt8(weights, max[at]), at * size));
  return readImageOverlay({
    view: "image-overlay",
    version: imageOverlayVersion,
    title: clip(title, headingCaps.titleLength),
    picture: { width: small.width, height: small.height, data: encodeBase64(pictureIndices(small)) },
    ...(mask ? { mask: storedMask(mask) } : {}),
    grid: { rows: grid.rows, columns: grid.columns },
    queries,
    maps: {
      name: maps.map(({ name }) => clip(name, imageOverlayCaps.nameLength)),
      layer: maps.map(({ layer }) => layer),
      head: maps.map(({ head }) => head),
      max,
    },
    weights: { codec: "sqrt8", rows: queries.length, columns: patches, block: 1, data: encodeBase64(bytes) },
    notes: notes.slice(0, headingCaps.notes).map((note) => clip(note, headingCaps.textLength)),
    provenance,
    ...(live ? { live } : {}),
  });
}

/** A mask in bits, no larger than the stored picture: the nearest pixel of each place. */
function storedMask({ width, height, data }: PixelMask): NonNullable<ImageOverlayPayload["mask"]> {
  if (!(width >= 1 && height >= 1) || data.length !== width * height) {
    throw new PayloadError(`image overlay: expected a mask of ${width} × ${height} pixels, got ${data.length} values`);
  }
  const scale = Math.min(1, longest / Math.max(width, height));
  const [across, down] = [width, height].map((side) => Math.max(1, Math.round(side * scale)));
  const bits = new Uint8Array(Math.ceil((across * down) / 8));
  for (let at = 0; at < across * down; at++) {
    const x = Math.floor((((at % across) + 0.5) * width) / across);
    const y = Math.floor(((Math.floor(at / across) + 0.5) * height) / down);
    if (data[y * width + x]) bits[at >> 3] |= 128 >> (at & 7);
  }
  return { width: across, height: down, data: encodeBase64(bits) };
}

/** Whether a pixel of a stored mask belongs to it; undefined without a mask. */
export function maskReader({ mask }: ImageOverlayPayload): ((x: number, y: number) => boolean) | undefined {
  if (!mask) return undefined;
  const bits = decodeBase64(mask.data);
  return (x, y) => {
    const at = y * mask.width + x;
    return (bits[at >> 3] & (128 >> (at & 7))) !== 0;
  };
}
