import { asciiBytes, asciiText, bytesIn, dataFrom, joinBytes } from "./bytes.js";
import type { DataOf, DType } from "./dtype.js";
import { allocate, bytesOf } from "./dtype.js";
import { FormatError, UnsupportedError } from "./errors.js";
import { formatShape, stridesOf } from "./shape.js";
import { Tensor } from "./tensor.js";

const descriptors: Readonly<Record<DType, string>> = {
  float32: "<f4",
  float64: "<f8",
  float16: "<f2",
  int64: "<i8",
  int32: "<i4",
  bool: "|b1",
  uint8: "|u1",
};

const magic = "\x93NUMPY";

/**
 * A tensor as a NumPy file, version 1.0.
 *
 * Source   numpy.lib.format
 */
export function encodeNpy({ dtype, shape, data }: Tensor): Uint8Array {
  const sizes = shape.length === 1 ? `${shape[0]},` : shape.join(", ");
  const header = `{'descr': '${descriptors[dtype]}', 'fortran_order': False, 'shape': (${sizes}), }`;
  // Data start at a multiple of 64 bytes; the header ends in a line feed.
  const length = Math.ceil((10 + header.length + 1) / 64) * 64 - 10;
  const prefix = asciiBytes(`${magic}\x01\x00${String.fromCharCode(length & 255, length >> 8)}`);
  return joinBytes([prefix, asciiBytes(`${header.padEnd(length - 1)}\n`), bytesIn(data)]);
}

/** Data stored with the first axis fastest, put into row-major order. */
function fromColumnMajor<D extends DType>(dtype: D, shape: readonly number[], data: DataOf[D]): DataOf[D] {
  const strides = stridesOf([...shape].reverse()).reverse();
  const own = stridesOf(shape);
  const out = allocate(dtype, data.length) as Float64Array;
  for (let flat = 0; flat < data.length; flat++) {
    const at = shape.reduce((sum, dim, axis) => sum + (Math.floor(flat / own[axis]) % dim) * strides[axis], 0);
    out[flat] = data[at] as number;
  }
  return out as DataOf[DType] as DataOf[D];
}

/**
 * The tensor in a NumPy file, versions 1 to 3.
 *
 * Throws   FormatError on anything but a complete file; UnsupportedError on an element type without a typed array
 */
export function decodeNpy(bytes: Uint8Array, place = "npy"): Tensor {
  const wrong = (what: string): FormatError => new FormatError(`${place}: ${what}`);
  if (bytes.length < 12 || asciiText(bytes.subarray(0, 6)) !== magic) throw wrong("not a NumPy file");
  const version = bytes[6];
  if (version < 1 || version > 3) throw wrong(`expected format version 1 … 3, got ${version}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const start = version === 1 ? 10 : 12;
  const length = version === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  if (start + length > bytes.length || length > 100_000) {
    throw wrong(`the header claims ${length} bytes but the file holds ${bytes.length}; is it truncated?`);
  }
  const header = asciiText(bytes.subarray(start, start + length));
  const field = (name: string, value: string): string | undefined =>
    new RegExp(`'${name}': ${value}`).exec(header)?.[1];
  const descriptor = field("descr", "'([^']*)'");
  const order = field("fortran_order", "(True|False)");
  const sizes = field("shape", "\\(([0-9, ]*)\\)");
  if (descriptor === undefined || order === undefined || sizes === undefined) {
    throw wrong(`expected descr, fortran_order and shape in the header, got ${header.slice(0, 120).trim()}`);
  }
  const dtype = (Object.keys(descriptors) as DType[]).find((name) => descriptors[name] === descriptor);
  if (!dtype) {
    const known = Object.values(descriptors).join(", ");
    throw new UnsupportedError(`${place}: elements of type "${descriptor}" cannot be read; known: ${known}`);
  }
  const shape = sizes
    .split(",")
    .filter((size) => size.trim() !== "")
    .map(Number);
  const needed = shape.reduce((product, size) => product * size, bytesOf(dtype));
  const held = bytes.length - start - length;
  if (needed !== held || !shape.every(Number.isSafeInteger))
    throw wrong(`shape ${formatShape(shape)} of ${dtype} needs ${needed} bytes, got ${held}`);
  const data = dataFrom(dtype, bytes.subarray(start + length));
  return new Tensor(dtype, shape, order === "True" ? fromColumnMajor(dtype, shape, data) : data);
}
