import type { DType } from "../tensor/index.js";
import { bytesOf, dataFrom, FormatError, packNumbers, Tensor, UnsupportedError } from "../tensor/index.js";
import { weight } from "./ops/index.js";
import type { TensorProto } from "./proto/onnx_pb.js";
import { TensorProto_DataLocation, TensorProto_DataType as Element } from "./proto/onnx_pb.js";
import type { Value } from "./value.js";

const dtypeOf = new Map<number, DType>([
  [Element.FLOAT, "float32"],
  [Element.DOUBLE, "float64"],
  [Element.FLOAT16, "float16"],
  [Element.INT64, "int64"],
  [Element.INT32, "int32"],
  [Element.BOOL, "bool"],
  [Element.UINT8, "uint8"],
]);

/**
 * The dtype of an ONNX element type.
 *
 * Throws   UnsupportedError on one without a typed array
 */
export function dtypeOfElement(place: string, element: number): DType {
  const dtype = dtypeOf.get(element);
  if (!dtype) {
    const name = Element[element] ?? String(element);
    throw new UnsupportedError(`${place}: elements of type ${name} cannot be read; known: ${[...dtypeOf.values()].join(", ")}`); // prettier-ignore
  }
  return dtype;
}

/** A whole number of a file as a safe JavaScript number. */
export function countOf(place: string, what: string, value: bigint): number {
  const count = Number(value);
  if (!Number.isSafeInteger(count)) throw new FormatError(`${place}: ${what} ${value} is beyond 2^53`);
  return count;
}

function shapeOf(place: string, { name, dims }: TensorProto): number[] {
  const shape = dims.map((dim) => countOf(place, `tensor "${name}" has a size that`, dim));
  if (shape.some((dim) => dim < 0) || !Number.isSafeInteger(shape.reduce((product, dim) => product * dim, 1))) {
    throw new FormatError(`${place}: tensor "${name}" has the impossible shape [${shape.join(",")}]`);
  }
  return shape;
}

/**
 * A tensor that the file itself holds.
 *
 * Throws   FormatError unless it has exactly the elements its shape needs; UnsupportedError on an unknown element type
 */
export function tensorOf(place: string, proto: TensorProto): Tensor {
  const { name, rawData, dataType } = proto;
  const shape = shapeOf(place, proto);
  const dtype = dtypeOfElement(`${place}: tensor "${name}"`, dataType);
  const count = shape.reduce((product, dim) => product * dim, 1);
  const short = (what: string, got: number): FormatError =>
    new FormatError(
      `${place}: tensor "${name}" of shape [${shape.join(",")}] needs ${count} elements, got ${got} ${what}`,
    );
  if (rawData.length > 0) {
    if (rawData.length !== count * bytesOf(dtype)) throw short("bytes", rawData.length);
    return new Tensor(dtype, shape, dataFrom(dtype, rawData));
  }
  const listed = { float32: proto.floatData, float64: proto.doubleData, int64: proto.int64Data };
  const values: readonly (number | bigint)[] =
    dtype === "float32" || dtype === "float64" || dtype === "int64" ? listed[dtype] : proto.int32Data;
  if (values.length !== count) throw short("elements", values.length);
  if (dtype === "int64") return new Tensor("int64", shape, BigInt64Array.from(values as readonly bigint[]));
  // In this form float16 stands as its bit pattern, one per 32-bit integer.
  if (dtype === "float16") return new Tensor("float16", shape, Uint16Array.from(values as readonly number[]));
  return new Tensor(dtype, shape, packNumbers(dtype, values as readonly number[]));
}

/** Where a model's external data lie. */
export interface ExternalData {
  readonly folder: string;
  /** Changes when the files do. */
  readonly version: string;
}

export function isExternal({ dataLocation }: TensorProto): boolean {
  return dataLocation === TensorProto_DataLocation.EXTERNAL;
}

/**
 * A tensor that another file holds, as a weight.
 *
 * Throws   FormatError unless the entry names a file below the folder and the bytes that the shape needs
 */
export function weightOf(place: string, proto: TensorProto, external: ExternalData | undefined): Value {
  const { name, dataType, externalData } = proto;
  const entry = (key: string): string | undefined => externalData.find((pair) => pair.key === key)?.value;
  const location = entry("location");
  const [offset, sizeBytes] = [entry("offset") ?? "0", entry("length") ?? ""].map((text) =>
    /^\d+$/.test(text) ? Number(text) : NaN,
  );
  if (location === undefined || !Number.isSafeInteger(offset) || !Number.isSafeInteger(sizeBytes)) {
    throw new FormatError(`${place}: tensor "${name}" lies outside, but without a valid location, offset and length`);
  }
  if (/^[\\/]|^[a-z]:|(^|[\\/])\.\.([\\/]|$)/i.test(location)) {
    throw new FormatError(`${place}: tensor "${name}" lies outside the model's folder, at "${location}"`);
  }
  if (!external) throw new UnsupportedError(`${place}: tensor "${name}" lies in "${location}"; pass { external }`);
  const bfloat16: number = Element.BFLOAT16;
  const storage = dataType === bfloat16 ? "bfloat16" : dtypeOfElement(`${place}: tensor "${name}"`, dataType);
  const dtype = storage === "bfloat16" ? "float32" : storage;
  const path = `${external.folder}/${location}`;
  return weight(dtype, shapeOf(place, proto), { name, path, offset, sizeBytes, storage, version: external.version });
}
