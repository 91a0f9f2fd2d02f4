import type { DType } from "./dtype.js";
import { FormatError } from "./errors.js";
import { isDeeper } from "./nesting.js";
import { formatShape, sizeOf } from "./shape.js";

/** What the header of a safetensors file says of one tensor. */
export interface StoredEntry {
  readonly name: string;
  /** Element type as the file spells it. */
  readonly stored: string;
  readonly shape: readonly number[];
  /** First byte, counted from the end of the header. */
  readonly offset: number;
  readonly sizeBytes: number;
}

const bytesPerElement: Readonly<Record<string, number>> = {
  F64: 8, F32: 4, F16: 2, BF16: 2, F8_E4M3: 1, F8_E5M2: 1,
  I64: 8, I32: 4, I16: 2, I8: 1, U64: 8, U32: 4, U16: 2, U8: 1, BOOL: 1,
}; // prettier-ignore

/** Element types that graphs can read; the rest stay in the file. */
export const storageOf: Readonly<Record<string, DType | "bfloat16">> = {
  F64: "float64",
  F32: "float32",
  F16: "float16",
  BF16: "bfloat16",
  I64: "int64",
  I32: "int32",
  U8: "uint8",
  BOOL: "bool",
};

function isCount(x: unknown): x is number {
  return Number.isSafeInteger(x) && (x as number) >= 0;
}

function storedTensor(place: string, name: string, entry: unknown, dataBytes: number): StoredEntry {
  const wrong = (what: string): FormatError => new FormatError(`${place}: tensor "${name}" ${what}`);
  if (typeof entry !== "object" || entry === null) throw wrong(`must be an object, got ${JSON.stringify(entry)}`);
  const { dtype: stored, shape, data_offsets: span, ...rest } = entry as Record<string, unknown>;
  const extra = Object.keys(rest)[0];
  if (extra !== undefined) throw wrong(`has an unknown field "${extra}"`);
  if (typeof stored !== "string" || !Object.hasOwn(bytesPerElement, stored)) {
    throw wrong(`has the unknown dtype ${JSON.stringify(stored)}; known: ${Object.keys(bytesPerElement).join(", ")}`);
  }
  if (!Array.isArray(shape) || !shape.every(isCount)) {
    throw wrong(`has no valid shape, got ${JSON.stringify(shape)}`);
  }
  if (!Array.isArray(span) || span.length !== 2 || !span.every(isCount)) {
    throw wrong(`has no valid data_offsets, got ${JSON.stringify(span)}`);
  }
  const [start, end] = span as [number, number];
  if (end < start || end > dataBytes) {
    throw wrong(`spans bytes ${start}…${end} but the file holds 0…${dataBytes}`);
  }
  const needed = sizeOf(shape) * bytesPerElement[stored];
  if (needed !== end - start) {
    throw wrong(`spans bytes ${start}…${end} but shape ${formatShape(shape)} of ${stored} needs ${needed}`);
  }
  return { name, stored, shape, offset: start, sizeBytes: needed };
}

/**
 * The tensors that a safetensors header describes, checked before any of them is used.
 *
 * Throws   FormatError unless every tensor lies in the data, has exactly the bytes its shape needs, and all of them
 *          together cover the data without overlap or gap
 */
export function parseSafetensorsHeader(place: string, json: string, dataBytes: number): readonly StoredEntry[] {
  let header: unknown;
  try {
    header = JSON.parse(json);
  } catch (error) {
    throw new FormatError(`${place}: the header is not JSON: ${(error as Error).message}`);
  }
  if (typeof header !== "object" || header === null || Array.isArray(header)) {
    throw new FormatError(`${place}: the header must be a JSON object, got ${json.slice(0, 40)}`);
  }
  if (isDeeper(header, 4)) throw new FormatError(`${place}: the header holds lists in lists in lists`);
  const tensors = Object.entries(header)
    .filter(([name]) => name !== "__metadata__")
    .map(([name, entry]) => storedTensor(place, name, entry, dataBytes));
  let covered = 0;
  for (const { name, offset, sizeBytes } of [...tensors].sort(
    (a, b) => a.offset - b.offset || a.sizeBytes - b.sizeBytes,
  )) {
    if (offset !== covered) {
      const what = offset < covered ? "overlaps the tensor before it" : "leaves a gap";
      throw new FormatError(
        `${place}: tensor "${name}" ${what}; expected it to start at byte ${covered}, got ${offset}`,
      );
    }
    covered = offset + sizeBytes;
  }
  if (covered !== dataBytes) {
    throw new FormatError(
      `${place}: the tensors cover ${covered} bytes but the file holds ${dataBytes} after its header`,
    );
  }
  return tensors;
}
