import type { DType } from "../tensor/index.js";
import { formatShape, FormatError, sizeOf, Tensor, UnsupportedError } from "../tensor/index.js";
import type { Files } from "./host.js";

/** One tensor of a safetensors file, still on disk. */
export interface StoredTensor {
  readonly name: string;
  /** Element type as the file spells it. */
  readonly stored: string;
  readonly shape: readonly number[];
  /** Real path of the file. */
  readonly path: string;
  /** First byte, counted from the start of the file. */
  readonly offset: number;
  readonly sizeBytes: number;
  /** Changes when the file does. */
  readonly version: string;
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

const headerLimit = 100_000_000;

function isCount(x: unknown): x is number {
  return Number.isSafeInteger(x) && (x as number) >= 0;
}

function storedTensor(
  place: string,
  name: string,
  entry: unknown,
  dataBytes: number,
): Omit<StoredTensor, "path" | "version"> {
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
export function parseSafetensorsHeader(
  place: string,
  json: string,
  dataBytes: number,
): readonly Omit<StoredTensor, "path" | "version">[] {
  let header: unknown;
  try {
    header = JSON.parse(json);
  } catch (error) {
    throw new FormatError(`${place}: the header is not JSON: ${(error as Error).message}`);
  }
  if (typeof header !== "object" || header === null || Array.isArray(header)) {
    throw new FormatError(`${place}: the header must be a JSON object, got ${json.slice(0, 40)}`);
  }
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

/**
 * The tensors of a safetensors file by name.
 *
 * Throws   FormatError on anything but a complete and consistent file
 */
export async function openSafetensors(files: Files, path: string): Promise<ReadonlyMap<string, StoredTensor>> {
  const place = `safetensors ${path}`;
  const found = await files.stat(path);
  if (found?.kind !== "file") throw new FormatError(`${place}: no such file`);
  const { sizeBytes, modifiedMs, realPath } = found;
  const prefix = await files.readBytes(path, 0, 8);
  if (prefix.length < 8) throw new FormatError(`${place}: expected at least 8 bytes, got ${prefix.length}`);
  const length = new DataView(prefix.buffer, prefix.byteOffset, 8).getBigUint64(0, true);
  if (length > BigInt(headerLimit) || Number(length) > sizeBytes - 8) {
    throw new FormatError(
      `${place}: the header claims ${length} bytes but the file holds ${sizeBytes}; is it truncated?`,
    );
  }
  const headerBytes = Number(length);
  let json: string;
  try {
    json = files.decodeText(await files.readBytes(path, 8, headerBytes));
  } catch (error) {
    throw new FormatError(`${place}: the header is not text: ${(error as Error).message}`);
  }
  const start = 8 + headerBytes;
  const version = `${sizeBytes} ${modifiedMs}`;
  return new Map(
    parseSafetensorsHeader(place, json, sizeBytes - start).map((entry) => [
      entry.name,
      { ...entry, offset: entry.offset + start, path: realPath, version },
    ]),
  );
}

/**
 * One stored tensor, read into memory.
 *
 * Throws   UnsupportedError for an element type without a typed array
 */
export async function readTensor(
  files: Files,
  { name, stored, shape, path, offset, sizeBytes }: StoredTensor,
): Promise<Tensor> {
  const bytes = await files.readBytes(path, offset, sizeBytes);
  const buffer = bytes.slice().buffer;
  switch (storageOf[stored]) {
    case "float64":
      return new Tensor("float64", shape, new Float64Array(buffer));
    case "float32":
      return new Tensor("float32", shape, new Float32Array(buffer));
    case "float16":
      return new Tensor("float16", shape, new Uint16Array(buffer));
    case "int64":
      return new Tensor("int64", shape, new BigInt64Array(buffer));
    case "int32":
      return new Tensor("int32", shape, new Int32Array(buffer));
    case "uint8":
      return new Tensor("uint8", shape, new Uint8Array(buffer));
    case "bool":
      return new Tensor("bool", shape, new Uint8Array(buffer));
    case "bfloat16": {
      const wide = Uint32Array.from(new Uint16Array(buffer), (half) => half << 16);
      return new Tensor("float32", shape, new Float32Array(wide.buffer));
    }
    case undefined:
      throw new UnsupportedError(`safetensors: tensor "${name}" is stored as ${stored}, which cannot be read yet`);
  }
}
