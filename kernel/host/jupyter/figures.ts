import { base64, type MimeBundle } from "./mimeBundle.js";
import type { JsonObject } from "./wire.js";

/** Pixels of a picture per CSS pixel: sharp on dense screens and in print. */
const pictureScale = 2;

const ownMime = /^application\/vnd\.attention-lab\./;

/** Whether a bundle holds a payload that may have a picture and holds none yet. */
export function wantsPicture(bundle: MimeBundle): boolean {
  return !("image/png" in bundle) && Object.keys(bundle).some((mime) => ownMime.test(mime));
}

/** A bundle and what its readers are told about it. */
export interface Shown {
  readonly data: MimeBundle;
  readonly metadata: JsonObject;
}

/**
 * The bundle with an `image/png` of its payload, for readers without our extension, and the size at which they are to
 * show it. Where no figure exists for the payload, or drawing fails, the bundle stays as it is; `failed` hears why.
 */
export async function withPicture(bundle: MimeBundle, failed: (reason: string) => void): Promise<Shown> {
  const [{ figureOf }, { svgToPng }] = await Promise.all([import("../../figure/index.js"), import("../png.js")]);
  for (const [mime, payload] of Object.entries(bundle).filter(([key]) => ownMime.test(key))) {
    try {
      const svg = figureOf(mime, payload);
      if (svg === undefined) continue;
      const png = svgToPng(svg, { scale: pictureScale });
      return { data: { ...bundle, "image/png": base64(png) }, metadata: { "image/png": sizeOf(png) } };
    } catch (error) {
      failed(`display: no picture of ${mime}; ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return { data: bundle, metadata: {} };
}

/** Width and height in CSS pixels, from the header of a PNG. */
function sizeOf(png: Uint8Array): JsonObject {
  const header = new DataView(png.buffer, png.byteOffset);
  const pixels = (offset: number): number => Math.round(header.getUint32(offset) / pictureScale);
  return { width: pixels(16), height: pixels(20) };
}
