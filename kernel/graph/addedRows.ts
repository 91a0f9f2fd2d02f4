import type { Build } from "./builder.js";
import type { Dim, SymbolicShape } from "./dims.js";
import { productOf } from "./dims.js";
import type { Value } from "./value.js";

/** Below every position, also where it is counted in 32 bits. */
const nowhere = -(2 ** 31) + 1;

/** A dimension as a number in the graph. */
function length(build: Build, dim: Dim): Value {
  if (typeof dim === "number") return build.scalar(dim, "int64");
  return build.reduceSum(build.expand(build.scalar(1, "int64"), [dim]));
}

/** Positions on several axes as positions in all of them, row by row; where one is not on its axis it is nowhere. */
function flatPlaces(build: Build, shape: SymbolicShape, column: (axis: number) => Value): Value {
  const axes = shape.map((dim, axis) => {
    const size = length(build, dim);
    const given = column(axis);
    const at = build.where(build.less(given, 0), build.add(given, size), given);
    return { size, at, isThere: build.and(build.greaterOrEqual(at, 0), build.less(at, size)) };
  });
  const all = axes.reduce((before, { size, at, isThere }) => ({
    size,
    at: build.add(build.mul(before.at, size), at),
    isThere: build.and(before.isThere, isThere),
  }));
  return build.where(all.isThere, all.at, nowhere);
}

/**
 * `x` with `updates` added at indexed positions, which may repeat: ScatterND with "add", written as ScatterElements on
 * flat positions. onnxruntime's CPU kernel of ScatterND adds blocks in several threads at once and loses some of those
 * that meet (found with version 1.30); ScatterElements adds one after the other.
 *
 * Shapes   x [a…, b…], indices [n…, rank of a], updates [n…, b…] → of x
 */
export function addedRows(build: Build, x: Value, indices: Value, updates: Value): Value {
  const depth = indices.shape.at(-1) as number;
  const [front, block] = [x.shape.slice(0, depth), productOf(x.shape.slice(depth))];
  const count = productOf(indices.shape.slice(0, -1));
  const column = (axis: number): Value =>
    build.reshape(build.gather(indices, build.scalar(axis, "int64"), indices.shape.length - 1), [count, 1]);
  const places = depth === 1 ? column(0) : flatPlaces(build, front, column);
  const flat = build.reshape(x, [productOf(front), block]);
  const rows = build.reshape(updates, [count, block]);
  return build.reshape(build.scatterElements(flat, build.expand(places, [count, block]), rows, 0, "add"), x.shape);
}
