import type { Build } from "./builder.js";
import type { Dim } from "./dims.js";
import { productOf } from "./dims.js";
import type { Value } from "./value.js";

/** Far below every position. */
const nowhere = -(2 ** 40);

/** A dimension as a number in the graph. */
function length(build: Build, dim: Dim): Value {
  if (typeof dim === "number") return build.scalar(dim, "int64");
  return build.reduceSum(build.expand(build.scalar(1, "int64"), [dim]));
}

/** Positions along an axis, counted from its start; what is not on it stays off every axis. */
function counted(build: Build, at: Value, size: Value): Value {
  const wrapped = build.where(build.less(at, 0), build.add(at, size), at);
  const isThere = build.and(build.greaterOrEqual(wrapped, 0), build.less(wrapped, size));
  return build.where(isThere, wrapped, nowhere);
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
    build.reshape(build.slice(indices, indices.shape.length - 1, axis, axis + 1), [count, 1]);
  const places = front.reduce<Value | undefined>((before, dim, axis) => {
    if (depth === 1) return column(axis);
    const size = length(build, dim);
    const at = counted(build, column(axis), size);
    return before ? build.add(build.mul(before, size), at) : at;
  }, undefined)!;
  const flat = build.reshape(x, [productOf(front), block]);
  const rows = build.reshape(updates, [count, block]);
  return build.reshape(build.scatterElements(flat, build.expand(places, [count, block]), rows, 0, "add"), x.shape);
}
