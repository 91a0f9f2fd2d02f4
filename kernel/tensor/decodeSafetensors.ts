import { asciiText } from "./bytes.js";
import { FormatError, UnsupportedError } from "./errors.js";
import type { StoredEntry } from "./safetensorsHeader.js";
import { parseSafetensorsHeader, storageOf } from "./safetensorsHeader.js";
import { Tensor } from "./tensor.js";

/** Longest header that is read, as the format's own reader has it. */
export const safetensorsHeaderLimit = 100_000_000;

/**
 * The tensor of an entry from its own bytes; bfloat16 becomes float32.
 *
 * Throws   UnsupportedError for an element type without a typed array
 */
export function storedTensor(
  { name, stored, shape }: Pick<StoredEntry, "name" | "stored" | "shape">,
  bytes: Uint8Array,
): Tensor {
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

/** Throws FormatError unless the bytes are UTF-8. */
function textOf(place: string, bytes: Uint8Array): string {
  try {
    const escaped = asciiText(bytes).replace(/[%\u0080-\u00ff]/g, (c) => `%${c.charCodeAt(0).toString(16).padStart(2, "0")}`); // prettier-ignore
    return decodeURIComponent(escaped);
  } catch {
    throw new FormatError(`${place}: the header is not text`);
  }
}

/**
 * The tensors of a safetensors file by name.
 *
 * Throws   FormatError on anything but a complete and consistent file; UnsupportedError on an unknown element type
 * Example  decodeSafetensors(readFileSync("weights.safetensors"))["wte.weight"]
 */
export function decodeSafetensors(bytes: Uint8Array, place = "safetensors"): Record<string, Tensor> {
  if (bytes.length < 8) throw new FormatError(`${place}: expected at least 8 bytes, got ${bytes.length}`);
  const length = new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true);
  if (length > BigInt(Math.min(safetensorsHeaderLimit, bytes.length - 8))) {
    throw new FormatError(
      `${place}: the header claims ${length} bytes but the file holds ${bytes.length}; is it truncated?`,
    );
  }
  const start = 8 + Number(length);
  const entries = parseSafetensorsHeader(place, textOf(place, bytes.subarray(8, start)), bytes.length - start);
  return Object.fromEntries(
    entries.map((entry) => {
      const from = start + entry.offset;
      return [entry.name, storedTensor(entry, bytes.subarray(from, from + entry.sizeBytes))];
    }),
  );
}
