import { decodeHalf, encodeHalf } from "./half.js";

/** A head on its way to a figure: rows end with their last weight that is not 0, which halves a causal pattern. */
export interface CodedTile {
  /** Weights kept of each row: uint32 [rows], little-endian. */
  readonly kept: Uint8Array;
  /** The kept weights of all rows, one after another: binary16, little-endian. */
  readonly weights: Uint8Array;
}

/** A matrix [rows,columns] as it travels. */
export function encodeTile(values: Float32Array, rows: number, columns: number): CodedTile {
  const kept = new DataView(new ArrayBuffer(4 * rows));
  const packed = new Float32Array(values.length);
  let at = 0;
  for (let row = 0; row < rows; row++) {
    const start = row * columns;
    let end = start + columns;
    while (end > start && values[end - 1] === 0) end--;
    packed.set(values.subarray(start, end), at);
    at += end - start;
    kept.setUint32(4 * row, end - start, true);
  }
  return { kept: new Uint8Array(kept.buffer), weights: encodeHalf(packed.subarray(0, at)) };
}

/** The matrix [rows,columns] of a tile; undefined where its parts do not fit together. */
export function decodeTile({ kept, weights }: CodedTile, rows: number, columns: number): Float32Array | undefined {
  if (kept.byteLength !== 4 * rows) return undefined;
  const lengths = new DataView(kept.buffer, kept.byteOffset, kept.byteLength);
  const packed = decodeHalf(weights);
  const values = new Float32Array(rows * columns);
  let at = 0;
  for (let row = 0; row < rows; row++) {
    const length = lengths.getUint32(4 * row, true);
    if (length > columns || at + length > packed.length) return undefined;
    values.set(packed.subarray(at, at + length), row * columns);
    at += length;
  }
  return at === packed.length && weights.byteLength === 2 * at ? values : undefined;
}
