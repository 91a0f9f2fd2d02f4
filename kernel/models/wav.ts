import { FormatError, UnsupportedError } from "../tensor/index.js";

/** Sound as numbers. */
export interface Sound {
  /** Samples per second. */
  readonly rate: number;
  /** One channel, −1 … 1. */
  readonly samples: Float32Array;
}

/** How one sample is stored. */
type Reader = (view: DataView, offset: number) => number;

/** By format and bits: whole numbers (1), floating point (3). Whole numbers become −1 … 1 by the power of two above them. */
const readers: Readonly<Record<string, Reader>> = {
  "1 8": (view, at) => (view.getUint8(at) - 128) / 128,
  "1 16": (view, at) => view.getInt16(at, true) / 32768,
  "1 24": (view, at) => (view.getUint16(at, true) + view.getInt8(at + 2) * 65536) / 8388608,
  "1 32": (view, at) => view.getInt32(at, true) / 2147483648,
  "3 32": (view, at) => view.getFloat32(at, true),
  "3 64": (view, at) => view.getFloat64(at, true),
};

/** The real format stands behind this one. */
const extensible = 0xfffe;

const tagAt = (view: DataView, at: number): string =>
  String.fromCharCode(view.getUint8(at), view.getUint8(at + 1), view.getUint8(at + 2), view.getUint8(at + 3));

/**
 * The sound in a WAV file, its channels averaged.
 *
 * Throws   FormatError on bytes that are no whole WAV file; UnsupportedError on a coding other than PCM or floating point
 * Source   Microsoft and IBM, Multimedia Programming Interface 1.0 (1991), "WAVE form audio"
 */
export function decodeWav(bytes: Uint8Array, place: string): Sound {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 12 || tagAt(view, 0) !== "RIFF" || tagAt(view, 8) !== "WAVE") {
    throw new FormatError(`${place}: expected a WAV file, which begins with RIFF and WAVE`);
  }
  const chunks = new Map<string, readonly [start: number, size: number]>();
  for (let at = 12; at + 8 <= bytes.length;) {
    const size = view.getUint32(at + 4, true);
    if (!chunks.has(tagAt(view, at))) chunks.set(tagAt(view, at), [at + 8, size]);
    at += 8 + size + (size % 2);
  }
  const [format, data] = [chunks.get("fmt "), chunks.get("data")];
  if (!format || !data || format[1] < 16 || format[0] + format[1] > bytes.length) {
    throw new FormatError(
      `${place}: a WAV file needs a "fmt " and a "data" chunk, got ${[...chunks.keys()].join(", ") || "none"}`,
    );
  }
  const [start, size] = data;
  if (start + size > bytes.length) {
    throw new FormatError(`${place}: the data chunk needs ${size} bytes, but ${bytes.length - start} are there`);
  }
  const word = (offset: number): number => view.getUint16(format[0] + offset, true);
  const [channels, rate, bits] = [word(2), view.getUint32(format[0] + 4, true), word(14)];
  const kind = word(0) === extensible && format[1] >= 26 ? word(24) : word(0);
  const read = Object.hasOwn(readers, `${kind} ${bits}`) ? readers[`${kind} ${bits}`] : undefined;
  if (!read) {
    throw new UnsupportedError(
      `${place}: WAV format ${kind} with ${bits} bits is not handled; expected PCM of 8, 16, 24 or 32 bits, or floating point`,
    );
  }
  const step = bits / 8;
  if (channels < 1 || rate < 1 || size % (channels * step) !== 0) {
    throw new FormatError(`${place}: ${size} bytes of sound do not divide into samples of ${channels} × ${bits} bits`);
  }
  const samples = Float32Array.from({ length: size / (channels * step) }, (_, t) => {
    let sum = 0;
    for (let c = 0; c < channels; c++) sum += read(view, start + (t * channels + c) * step);
    return sum / channels;
  });
  return { rate, samples };
}
