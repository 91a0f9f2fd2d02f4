import type { Value } from "../graph/index.js";
import { build, constant } from "../graph/index.js";
import { Tensor } from "../tensor/index.js";

const { fround } = Math;

/**
 * How fast the scores of each head fall with distance: 2^(−8/n), 2^(−16/n) … for the largest power of two n within the
 * number of heads, and every second slope of 2·n for those left over.
 *
 * Source   arXiv:2108.12409 §3; the remaining heads as in its reference code
 */
export function alibiSlopes(heads: number): Float32Array {
  const power = 2 ** Math.floor(Math.log2(heads));
  const slope = (count: number, i: number): number => fround(2 ** (-8 / count)) ** i;
  return Float32Array.from({ length: heads }, (_, head) =>
    head < power ? slope(power, head + 1) : slope(2 * power, 2 * (head - power) + 1),
  );
}

/**
 * slope · position, added to the scores of a key: the same to all queries, which a softmax does not tell from
 * −slope · distance.
 *
 * Shapes   positions [B,K] int32 → [B,H,1,K]
 */
export function alibiBias(slopes: Float32Array, positions: Value): Value {
  const column = constant(new Tensor("float32", [slopes.length, 1, 1], slopes));
  return build.mul(build.unsqueeze(build.cast(positions, "float32"), [1, 2]), column);
}

/** Float32 with the last 16 bits rounded away, to even. */
function bfloat16(x: number): number {
  const view = new DataView(new ArrayBuffer(4));
  view.setFloat32(0, x);
  const bits = view.getUint32(0);
  view.setUint32(0, ((bits + 0x7fff + ((bits >>> 16) & 1)) & 0xffff0000) >>> 0);
  return view.getFloat32(0);
}

/**
 * The same with slopes, positions and their products rounded to bfloat16, as Falcon was trained.
 *
 * Shapes   positions [B,K] int32, each below `length` → [B,H,1,K]
 */
export function roundedAlibiBias(slopes: Float32Array, length: number, positions: Value): Value {
  const heads = slopes.length;
  const table = new Float32Array(length * heads).map((_, i) =>
    bfloat16(bfloat16(slopes[i % heads]) * bfloat16(Math.floor(i / heads))),
  );
  const rows = build.gather(constant(new Tensor("float32", [length, heads], table)), positions, 0); // [B,K,H]
  return build.unsqueeze(build.transpose(rows, [0, 2, 1]), [2]);
}
