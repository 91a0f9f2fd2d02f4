import { checkOptions } from "../tensor/errors.js";
import { audioTimelineCaps, audioTimelineVersion, type AudioTimelinePayload } from "./audioTimelinePayload.js";
import { encodeBase64 } from "./base64.js";
import { encodeSqrt8 } from "./companding.js";
import type { LiveName } from "./headGridPayload.js";
import { clip, headingCaps, type Provenance } from "./heading.js";
import { PayloadError } from "./payloadError.js";
import { readAudioTimeline } from "./readAudioTimeline.js";

export { audioTimelineMime, type AudioTimelinePayload } from "./audioTimelinePayload.js";
export { audioTimelineText, peakText } from "./audioTimelineText.js";
export { readAudioTimeline } from "./readAudioTimeline.js";

/** Attention of all tokens to all frames. */
export interface AudioMap {
  readonly name: string;
  /** −1, as is `head`, where the map is not of one. */
  readonly layer: number;
  readonly head: number;
  /** [token, frame] row-major. */
  readonly weights: Float32Array;
}

/** How loud each pitch was, [bin, column] row-major, low pitches first. */
export interface Spectrum {
  readonly bins: number;
  readonly columns: number;
  readonly values: Float32Array;
}

/** What stands around the maps. */
export interface AudioTimelineOptions {
  readonly title: string;
  readonly notes?: readonly string[];
  readonly provenance?: Provenance;
  readonly spectrum?: Spectrum | undefined;
  /** When each token begins, in seconds. */
  readonly starts?: readonly number[] | undefined;
  /** The run in whose figures heads are chosen. */
  readonly live?: LiveName | undefined;
}

/** Bytes that weights and sound may take, bins of pitch, and frames that share a column before maps are left out. */
const [mostBytes, soundBytes, mostBins, widestBlock] = [660_000, 60_000, 40, 3];

/** How many maps of so many tokens and frames fit into a payload without more than three frames in a column. */
export function audioMapsThatFit(tokens: number, frames: number): number {
  return Math.max(1, Math.floor((mostBytes - soundBytes) / bytesPerMap(tokens, Math.ceil(frames / widestBlock))));
}

/** A byte for each weight, and what is said of each token: a peak and a mass. */
const bytesPerMap = (tokens: number, columns: number): number => tokens * (columns + 12);

/**
 * The payload of attention over a sound; weights in 8 bits on a square-root scale, the largest of as many frames as it takes.
 *
 * Shapes   maps [token, frame] · spectrum [bin, column] over the same time
 * Range    below 1 MB; |error| ≤ 0.004 of a map's largest weight
 * Throws   PayloadError where sizes do not agree; OptionError on an unknown option
 */
export function audioTimeline(
  tokens: readonly string[],
  time: { readonly frames: number; readonly secondsPerFrame: number },
  maps: readonly AudioMap[],
  options: AudioTimelineOptions,
): AudioTimelinePayload {
  checkOptions("audioTimeline", options, ["title", "notes", "provenance", "spectrum", "starts", "live"]);
  const { title, notes = [], provenance = {}, spectrum, starts, live } = options;
  const { frames, secondsPerFrame } = time;
  const size = tokens.length * frames;
  const odd = maps.find(
    ({ weights }) => weights.length !== size || !weights.every((weight) => weight >= 0 && weight < Infinity),
  );
  if (odd) throw new PayloadError(`audio timeline: expected ${size} finite weights ≥ 0 in "${clip(odd.name, 40)}"`);
  let block = 1;
  while (block < frames && maps.length * bytesPerMap(tokens.length, Math.ceil(frames / block)) > mostBytes - soundBytes)
    block++;
  const columns = Math.ceil(frames / block);
  const max = maps.map(({ weights }) => weights.reduce((most, weight) => Math.max(most, weight), 0));
  const bytes = new Uint8Array(maps.length * tokens.length * columns);
  maps.forEach(({ weights }, at) => {
    const pooled = widestOf(weights, tokens.length, frames, columns, block);
    bytes.set(encodeSqrt8(pooled, max[at]), at * pooled.length);
  });
  return readAudioTimeline({
    view: "audio-timeline",
    version: audioTimelineVersion,
    title: clip(title, headingCaps.titleLength),
    time: { frames, secondsPerFrame, block },
    tokens: tokens.map((token) => clip(token, audioTimelineCaps.tokenLength)),
    maps: {
      name: maps.map(({ name }) => clip(name, audioTimelineCaps.nameLength)),
      layer: maps.map(({ layer }) => layer),
      head: maps.map(({ head }) => head),
      max,
      peak: maps.flatMap(({ weights }) => rowsOf(weights, frames).map(peakOf)),
      mass: maps.flatMap(({ weights }) => rowsOf(weights, frames).map(massOf)),
    },
    weights: { codec: "sqrt8", rows: tokens.length, columns, block: 1, data: encodeBase64(bytes) },
    ...(spectrum ? { sound: stored(spectrum) } : {}),
    ...(starts ? { starts: starts.map((start) => Number(start.toPrecision(6))) } : {}),
    notes: notes.slice(0, headingCaps.notes).map((note) => clip(note, headingCaps.textLength)),
    provenance,
    ...(live ? { live } : {}),
  });
}

/** The largest of every `block` neighbours of each row. */
function widestOf(
  values: Float32Array,
  rows: number,
  width: number,
  columns: number,
  block: number,
): Float32Array<ArrayBuffer> {
  const out = new Float32Array(rows * columns).fill(-Infinity);
  for (let row = 0; row < rows; row++) {
    for (let at = 0; at < width; at++) {
      const to = row * columns + Math.floor(at / block);
      out[to] = Math.max(out[to], values[row * width + at]);
    }
  }
  return out;
}

const rowsOf = (weights: Float32Array, frames: number): readonly Float32Array[] =>
  Array.from({ length: weights.length / frames }, (_, row) => weights.subarray(row * frames, (row + 1) * frames));

const peakOf = (row: Float32Array): number => row.reduce((best, weight, at) => (weight > row[best] ? at : best), 0);

const massOf = (row: Float32Array): number => Number(row.reduce((sum, weight) => sum + weight, 0).toPrecision(6));

/** A spectrum in bytes, pooled until it is small: neighbours in pitch, then in time, the loudest of each. */
function stored({ bins, columns, values }: Spectrum): NonNullable<AudioTimelinePayload["sound"]> {
  if (values.length !== bins * columns || bins < 1 || columns < 1) {
    throw new PayloadError(`audio timeline: expected a spectrum of ${bins} × ${columns}, got ${values.length} values`);
  }
  const pitches = Math.ceil(bins / mostBins);
  const high = Math.ceil(bins / pitches);
  const block = Math.ceil((high * columns) / soundBytes);
  const wide = Math.ceil(columns / block);
  const narrow = widestOf(values, bins, columns, wide, block);
  const pooled = new Float32Array(high * wide).fill(-Infinity);
  narrow.forEach((value, at) => {
    const to = Math.floor(Math.floor(at / wide) / pitches) * wide + (at % wide);
    pooled[to] = Math.max(pooled[to], value);
  });
  const [least, most] = pooled.reduce(
    ([a, b], value) => [Math.min(a, value), Math.max(b, value)],
    [Infinity, -Infinity],
  );
  const scale = most > least && most - least < Infinity ? 255 / (most - least) : 0;
  return {
    bins: high,
    columns: wide,
    data: encodeBase64(Uint8Array.from(pooled, (value) => Math.round((value - least) * scale))),
  };
}
