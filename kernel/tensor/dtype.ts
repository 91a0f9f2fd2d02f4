import { halfBits, halfValue } from "./half.js";

/** Element types, named as in onnxruntime. */
export type DType = "float32" | "float64" | "float16" | "int64" | "int32" | "bool" | "uint8";

/** The typed array that holds each element type: float16 as its bit pattern, bool as bytes 0 and 1. */
export interface DataOf {
  readonly float32: Float32Array;
  readonly float64: Float64Array;
  readonly float16: Uint16Array;
  readonly int64: BigInt64Array;
  readonly int32: Int32Array;
  readonly bool: Uint8Array;
  readonly uint8: Uint8Array;
}

interface Kind {
  readonly bytes: number;
  readonly float: boolean;
  readonly allocate: (length: number) => DataOf[DType];
}

const kinds: Readonly<Record<DType, Kind>> = {
  float32: { bytes: 4, float: true, allocate: (n) => new Float32Array(n) },
  float64: { bytes: 8, float: true, allocate: (n) => new Float64Array(n) },
  float16: { bytes: 2, float: true, allocate: (n) => new Uint16Array(n) },
  int64: { bytes: 8, float: false, allocate: (n) => new BigInt64Array(n) },
  int32: { bytes: 4, float: false, allocate: (n) => new Int32Array(n) },
  bool: { bytes: 1, float: false, allocate: (n) => new Uint8Array(n) },
  uint8: { bytes: 1, float: false, allocate: (n) => new Uint8Array(n) },
};

export const dtypes: readonly DType[] = Object.keys(kinds) as DType[];

export function isDType(name: string): name is DType {
  return Object.hasOwn(kinds, name);
}

export function isFloat(dtype: DType): boolean {
  return kinds[dtype].float;
}

/** Bytes per element. */
export function bytesOf(dtype: DType): number {
  return kinds[dtype].bytes;
}

/** A zeroed typed array of `length` elements. */
export function allocate<D extends DType>(dtype: D, length: number): DataOf[D] {
  return kinds[dtype].allocate(length) as DataOf[D];
}

/** A new typed array of that dtype holding these numbers: rounded to nearest for floats, truncated for integers. */
export function packNumbers<D extends DType>(dtype: D, values: ArrayLike<number>): DataOf[D] {
  const data = allocate(dtype, values.length);
  for (let i = 0; i < values.length; i++) {
    const x = values[i];
    if (dtype === "int64") (data as BigInt64Array)[i] = BigInt(Math.trunc(x));
    else if (dtype === "bool") (data as Uint8Array)[i] = x === 0 ? 0 : 1;
    else (data as Float64Array)[i] = dtype === "float16" ? halfBits(x) : x;
  }
  return data;
}

/** Element `i` as a number. */
export function numberAt(dtype: DType, data: DataOf[DType], i: number): number {
  return dtype === "float16" ? halfValue(data[i] as number) : Number(data[i]);
}
