import { base64Length, decodeBase64 } from "./base64.js";
import { halfValue } from "../tensor/half.js";
import { decodeSqrt8, sqrt8Value } from "./companding.js";
import { decodeHalf } from "./half.js";

/**
 * How stored weights are coded: `float16` (relative error ≤ 2⁻¹¹), or `sqrt8` (8 bits on a square-root scale up to the
 * head's own maximum, error ≤ 0.004 of it).
 */
export type PatternCodec = "float16" | "sqrt8";

/** Every pattern of one sample: [L,H,rows,columns], layer-major, in base64. */
export interface StoredPatterns {
  readonly codec: PatternCodec;
  /** Stored rows: ⌈queries / block⌉. */
  readonly rows: number;
  /** Stored columns: ⌈keys / block⌉. */
  readonly columns: number;
  /** 1: every weight is stored; n: the largest weight of each n × n square is. */
  readonly block: number;
  readonly data: string;
}

/** Random access to the stored patterns of one sample. */
export interface PatternReader {
  readonly rows: number;
  readonly columns: number;
  readonly block: number;
  readonly codec: PatternCodec;
  /** The stored weights of one head, [rows,columns] row-major; a new array on each call. */
  readonly head: (layer: number, head: number) => Float32Array;
  /** The same as it is stored: nothing is copied. */
  readonly codes: (layer: number, head: number) => StoredHead;
}

/** One head as it is stored. */
export interface StoredHead {
  /** [rows,columns] row-major, below 256 for `sqrt8`. */
  readonly codes: Uint8Array | Uint16Array;
  /** The weight that a code stands for. */
  readonly weightOf: (code: number) => number;
}

/** Bytes of one stored weight. */
export function bytesPerWeight(codec: PatternCodec): number {
  return codec === "float16" ? 2 : 1;
}

/** Characters the `data` of a sample must have. */
export function storedLength(codec: PatternCodec, headCount: number, rows: number, columns: number): number {
  return base64Length(headCount * rows * columns * bytesPerWeight(codec));
}

/** Opens the patterns of one sample; `tops[layer · heads + head]` is each head's maximum (its `sqrt8` scale). */
export function readPatterns(stored: StoredPatterns, heads: number, tops: readonly number[]): PatternReader {
  const { codec, rows, columns, block, data } = stored;
  const bytes = decodeBase64(data);
  const size = rows * columns * bytesPerWeight(codec);
  const storedHead = (layer: number, head: number): { readonly part: Uint8Array; readonly top: number } => {
    const index = layer * heads + head;
    return { part: bytes.subarray(index * size, (index + 1) * size), top: tops[index] };
  };
  return {
    codec,
    rows,
    columns,
    block,
    head: (layer, head) => {
      const { part, top } = storedHead(layer, head);
      return codec === "float16" ? decodeHalf(part) : decodeSqrt8(part, top);
    },
    codes: (layer, head) => {
      const { part, top } = storedHead(layer, head);
      if (codec === "sqrt8") return { codes: part, weightOf: (code) => Math.fround(sqrt8Value(code, top)) };
      return { codes: new Uint16Array(part.buffer, part.byteOffset, rows * columns), weightOf: halfValue };
    },
  };
}
