import { convertIndexedToRgb, decode as decodePng } from "fast-png";
import jpeg from "jpeg-js";
import type { Picture } from "../models/index.js";
import { FormatError, UnsupportedError } from "../tensor/index.js";

const isPng = (bytes: Uint8Array): boolean => [0x89, 0x50, 0x4e, 0x47].every((byte, i) => bytes[i] === byte);
const isJpeg = (bytes: Uint8Array): boolean => [0xff, 0xd8, 0xff].every((byte, i) => bytes[i] === byte);

/** Largest side that is decoded: a header must not ask for more memory than a picture needs. */
const largestSide = 16384;

function pngPicture(place: string, bytes: Uint8Array): Picture {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 24) throw new FormatError(`${place}: not a complete PNG picture, got ${bytes.length} bytes`);
  const [width, height] = [view.getUint32(16), view.getUint32(20)];
  if (Math.max(width, height) > largestSide) {
    throw new UnsupportedError(`${place}: expected at most ${largestSide} pixels a side, got ${width} × ${height}`);
  }
  const decoded = decodePng(bytes, { checkCrc: true });
  if (decoded.depth === 16) throw new UnsupportedError(`${place}: expected 8 bits per channel, got a PNG with 16`);
  const { palette, depth } = decoded;
  const data = palette ? convertIndexedToRgb(decoded) : decoded.data;
  const channels = data.length / (width * height);
  const out = new Uint8Array(3 * width * height);
  // Grey of fewer bits spreads over the same range.
  const full = palette ? 1 : 255 / (2 ** depth - 1);
  for (let i = 0; i < width * height; i++) {
    for (let c = 0; c < 3; c++) out[3 * i + c] = data[i * channels + (channels < 3 ? 0 : c)]! * full;
  }
  return { width, height, data: out };
}

/**
 * The pixels of a PNG or JPEG file, opacity left out. PNG is exact; of JPEG the last bits depend on the decoder.
 *
 * Throws   FormatError on broken files; UnsupportedError on other formats, 16 bits per channel, or huge pictures
 */
export function decodePicture(place: string, bytes: Uint8Array): Picture {
  if (!isPng(bytes) && !isJpeg(bytes)) {
    throw new UnsupportedError(`${place}: expected a PNG or JPEG picture, got ${bytes.length} bytes of something else`);
  }
  try {
    if (isPng(bytes)) return pngPicture(place, bytes);
    const limits = { maxResolutionInMP: largestSide, maxMemoryUsageInMB: 2048 };
    return jpeg.decode(bytes, { useTArray: true, formatAsRGBA: false, tolerantDecoding: false, ...limits });
  } catch (error) {
    if (error instanceof FormatError || error instanceof UnsupportedError) throw error;
    throw new FormatError(`${place}: broken picture (${(error as Error).message})`, { cause: error });
  }
}
