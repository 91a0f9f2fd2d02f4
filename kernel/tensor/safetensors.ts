import { asciiBytes, bytesIn, joinBytes } from "./bytes.js";
import type { DType } from "./dtype.js";
import { OptionError } from "./errors.js";
import type { Tensor } from "./tensor.js";

const stored: Readonly<Record<DType, string>> = {
  float32: "F32",
  float64: "F64",
  float16: "F16",
  int64: "I64",
  int32: "I32",
  bool: "BOOL",
  uint8: "U8",
};

/**
 * Named tensors, and texts that describe them, as the bytes of a safetensors file. Wider elements come first, then
 * names in order: every tensor is aligned, and equal contents give equal bytes.
 *
 * Source   the format's README, "Format"
 */
export function encodeSafetensors(
  tensors: Readonly<Record<string, Tensor>>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  if (Object.hasOwn(tensors, "__metadata__")) {
    throw new OptionError('safetensors: no tensor can be called "__metadata__"; pass texts as the second argument');
  }
  const width = ({ data }: Tensor): number => data.BYTES_PER_ELEMENT;
  const entries = Object.entries(tensors).sort(([a, x], [b, y]) => width(y) - width(x) || (a < b ? -1 : Number(a > b)));
  let offset = 0;
  const listed = entries.map(([name, { dtype, shape, sizeBytes }]) => {
    const span = [offset, (offset += sizeBytes)];
    return [name, { dtype: stored[dtype], shape, data_offsets: span }] as const;
  });
  const described = Object.keys(metadata).length > 0 ? [["__metadata__", metadata] as const] : [];
  // Escaped to ASCII, so that characters are bytes.
  const json = JSON.stringify(Object.fromEntries([...described, ...listed]));
  const escape = (unit: string): string => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
  const header = asciiBytes(json.replace(/[\u0080-\uffff]/g, escape));
  const length = Math.ceil(header.length / 8) * 8;
  const prefix = new Uint8Array(8 + length).fill(0x20);
  new DataView(prefix.buffer).setBigUint64(0, BigInt(length), true);
  prefix.set(header, 8);
  return joinBytes([prefix, ...entries.map(([, { data }]) => bytesIn(data))]);
}
