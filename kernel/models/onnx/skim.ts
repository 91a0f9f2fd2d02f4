import { asciiBytes, FormatError, joinBytes } from "../../tensor/index.js";
import type { Files } from "../host.js";

/** Tensors of at least this many bytes stay in the file; shapes and other small constants do not. */
const keptBytes = 1024;
/** The location that stands for the file itself. */
export const ownBytes = "*";
/** Bytes read at a time while the fields are walked. */
const windowBytes = 1 << 16;

/** Numbers of the fields that lead to a tensor's bytes, from onnx.proto3. */
const fields = { graph: 7, initializer: 5, rawData: 9, externalData: 13, dataLocation: 14 } as const;

function varint(value: number): number[] {
  const bytes: number[] = [];
  for (let left = value; ; left = Math.floor(left / 128)) {
    if (left < 128) return [...bytes, left];
    bytes.push((left % 128) + 128);
  }
}

function lengthDelimited(field: number, content: Uint8Array): Uint8Array[] {
  return [Uint8Array.from([...varint(field * 8 + 2), ...varint(content.length)]), content];
}

/** Walks the fields of one file without reading the large ones. */
class Skimmer {
  readonly #files: Files;
  readonly #path: string;
  readonly #sizeBytes: number;
  #window: Uint8Array = new Uint8Array(0);
  #windowAt = 0;

  constructor(files: Files, path: string, sizeBytes: number) {
    this.#files = files;
    this.#path = path;
    this.#sizeBytes = sizeBytes;
  }

  /** A message with the large tensors of its initializers replaced by their place in the file. */
  async message(start: number, end: number, level: "model" | "graph" | "tensor"): Promise<Uint8Array> {
    const parts: Uint8Array[] = [];
    // Behind all else: of a field that is there twice, the last one counts.
    const references: Uint8Array[] = [];
    let at = start;
    while (at < end) {
      const [tag, afterTag] = await this.#varint(at, end);
      const [field, wire] = [Math.floor(tag / 8), tag % 8];
      const [length, contentAt] = wire === 2 ? await this.#varint(afterTag, end) : [0, afterTag];
      const next = wire === 2 ? contentAt + length : await this.#afterScalar(wire, afterTag, end);
      if (next > end) throw this.#broken(`field ${field} at byte ${at} ends at ${next}, beyond ${end}`);
      const inner = level === "model" && field === fields.graph ? "graph" : "tensor";
      if (
        wire === 2 &&
        ((level === "model" && inner === "graph") || (level === "graph" && field === fields.initializer))
      ) {
        parts.push(...lengthDelimited(field, await this.message(contentAt, next, inner)));
      } else if (level === "tensor" && field === fields.rawData && length >= keptBytes) {
        references.push(...this.#reference(contentAt, length));
      } else {
        parts.push(await this.#bytes(at, next - at));
      }
      at = next;
    }
    return joinBytes([...parts, ...references]);
  }

  #reference(offset: number, length: number): Uint8Array[] {
    const entries = Object.entries({ location: ownBytes, offset: String(offset), length: String(length) });
    return [
      ...entries.flatMap(([key, value]) =>
        lengthDelimited(
          fields.externalData,
          joinBytes([...lengthDelimited(1, asciiBytes(key)), ...lengthDelimited(2, asciiBytes(value))]),
        ),
      ),
      Uint8Array.from([...varint(fields.dataLocation * 8), 1]),
    ];
  }

  async #afterScalar(wire: number, at: number, end: number): Promise<number> {
    if (wire === 0) return (await this.#varint(at, end))[1];
    if (wire === 1) return at + 8;
    if (wire === 5) return at + 4;
    throw this.#broken(`byte ${at} holds the unknown wire type ${wire}`);
  }

  async #varint(at: number, end: number): Promise<readonly [number, number]> {
    let value = 0;
    for (let i = 0; i < 10; i++) {
      if (at + i >= end) break;
      const byte = (await this.#bytes(at + i, 1))[0];
      value += (byte & 127) * 128 ** i;
      if (byte < 128) return [value, at + i + 1];
    }
    throw this.#broken(`byte ${at} starts no number`);
  }

  async #bytes(at: number, length: number): Promise<Uint8Array> {
    const from = at - this.#windowAt;
    if (from >= 0 && from + length <= this.#window.length) return this.#window.subarray(from, from + length);
    const wanted = Math.max(length, Math.min(windowBytes, this.#sizeBytes - at));
    this.#window = await this.#files.readBytes(this.#path, at, wanted);
    this.#windowAt = at;
    if (this.#window.length < length) throw this.#broken(`it ends at byte ${at + this.#window.length}`);
    return this.#window.subarray(0, length);
  }

  #broken(why: string): FormatError {
    return new FormatError(`onnx ${this.#path}: not a whole ONNX file: ${why}`);
  }
}

/**
 * An ONNX file whose large tensors are told by their place in the file instead of their bytes, so that a model of any
 * size is read in little memory and onnxruntime takes its weights from the disk.
 *
 * Throws   FormatError on a file that breaks off or is none
 */
export async function skimOnnx(files: Files, path: string, sizeBytes: number): Promise<Uint8Array> {
  return new Skimmer(files, path, sizeBytes).message(0, sizeBytes, "model");
}
