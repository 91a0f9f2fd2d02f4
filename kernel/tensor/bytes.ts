import type { DataOf, DType } from "./dtype.js";
import { allocate, bytesOf } from "./dtype.js";

// Every platform of Node, and every browser, is little-endian, as the file formats are: bytes are copied as they are.

/** The bytes of a typed array, as a view. */
export function bytesIn(data: DataOf[DType]): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

/** A typed array of its own from little-endian bytes; `bytes` must hold whole elements. */
export function dataFrom<D extends DType>(dtype: D, bytes: Uint8Array): DataOf[D] {
  const data = allocate(dtype, bytes.length / bytesOf(dtype));
  bytesIn(data).set(bytes);
  return data;
}

/** The bytes of an ASCII text. */
export function asciiBytes(text: string): Uint8Array {
  return Uint8Array.from(text, (letter) => letter.charCodeAt(0));
}

/** A text whose characters are these bytes, one by one. */
export function asciiText(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}

export function joinBytes(parts: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}
