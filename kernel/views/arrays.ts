import { encodeNpz } from "../tensor/npz.js";
import { Tensor } from "../tensor/tensor.js";
import { audioTimelineMime, type AudioTimelinePayload } from "./audioTimeline.js";
import { columnsOf } from "./columns.js";
import { headGridMime, type HeadGridPayload } from "./headGrid.js";
import { headGridsMime } from "./headGrids.js";
import { headPairMime, readPair, type HeadPairPayload } from "./headPair.js";
import { matrixMime } from "./matrix.js";
import { readPatterns } from "./patternStore.js";
import { payloads, type PayloadMime } from "./payloads.js";
import { readLines } from "./storedLines.js";
import { tokenStripMime, type TokenStripPayload } from "./tokenStrip.js";

/**
 * The numbers behind a figure as a NumPy archive: patterns as stored [layer, head, query, key], a matrix [row, column],
 * a strip's values and weights [query, key], attention over a sound [map, token, column], anything else by columns of numbers.
 *
 * Throws   PayloadError when the payload is invalid, or a report of several pictures
 */
export function payloadNpz(mime: PayloadMime, payload: unknown): Uint8Array {
  return encodeNpz(arraysOf(mime, payload));
}

function arraysOf(mime: PayloadMime, payload: unknown): Record<string, Tensor> {
  if (mime === headGridMime) return patternsOf(payloads[mime].read(payload), "");
  if (mime === headGridsMime) {
    const { stacks } = payloads[mime].read(payload);
    return Object.assign({}, ...stacks.map(({ name, grid }) => patternsOf(grid, `${name}_`))) as Record<string, Tensor>;
  }
  if (mime === matrixMime) {
    const { rows, columns, values } = payloads[mime].read(payload);
    return { values: numbers(values, [rows.labels.length, columns.labels.length]) };
  }
  if (mime === headPairMime) return pairArrays(payloads[mime].read(payload));
  if (mime === tokenStripMime) return stripArrays(payloads[mime].read(payload));
  if (mime === audioTimelineMime) return timelineArrays(payloads[mime].read(payload));
  const columns = columnsOf(mime, payload).filter(({ values }) => values.every((value) => typeof value !== "string"));
  return Object.fromEntries(
    columns.map(({ name, values }) => [name, numbers(values as readonly (number | null)[], [values.length])]),
  );
}

const numbers = (values: readonly (number | null)[], shape: readonly number[]): Tensor =>
  new Tensor(
    "float64",
    shape,
    Float64Array.from(values, (value) => value ?? NaN),
  );

/** A, B and A − B as stored, [query, key]. */
function pairArrays(payload: HeadPairPayload): Record<string, Tensor> {
  const { rows, columns, a, b, difference } = readPair(payload);
  const array = (data: Float32Array): Tensor => new Tensor("float32", [rows, columns], data.slice());
  return { a: array(a), b: array(b), difference: array(difference) };
}

/** Values of a strip, and its weights as stored, [query, key]: 0 where one was not kept. */
function stripArrays({ tokens, values, attention }: TokenStripPayload): Record<string, Tensor> {
  const found = { values: numbers(values, [tokens.length]) };
  if (!attention) return found;
  const { queries, keys, row } = readLines(attention, tokens.length);
  const weights = new Float32Array(queries * keys);
  for (let query = 0; query < queries; query++) weights.set(row(query).weights, query * keys);
  return { ...found, attention: new Tensor("float32", [queries, keys], weights) };
}

/** Weights as stored, [map, token, column], and when each column begins. */
function timelineArrays({ tokens, time, maps, weights }: AudioTimelinePayload): Record<string, Tensor> {
  const { columns, head } = readPatterns(weights, 1, maps.max);
  const data = new Float32Array(maps.name.length * tokens.length * columns);
  maps.name.forEach((_, map) => data.set(head(map, 0), map * tokens.length * columns));
  const seconds = Array.from({ length: columns }, (_, at) => at * time.block * time.secondsPerFrame);
  return {
    weights: new Tensor("float32", [maps.name.length, tokens.length, columns], data),
    seconds: numbers(seconds, [columns]),
  };
}

function patternsOf({ samples, layers, heads }: HeadGridPayload, prefix: string): Record<string, Tensor> {
  return Object.fromEntries(
    samples.map(({ patterns, scalars }, sample) => {
      const { rows, columns, head } = readPatterns(patterns, heads, scalars.max);
      const data = new Float32Array(layers * heads * rows * columns);
      for (let at = 0; at < layers * heads; at++) {
        data.set(head(Math.floor(at / heads), at % heads), at * rows * columns);
      }
      return [`${prefix}pattern_${sample}`, new Tensor("float32", [layers, heads, rows, columns], data)];
    }),
  );
}
