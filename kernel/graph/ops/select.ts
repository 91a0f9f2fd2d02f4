import { asAxis, formatShape, ShapeError, sizeOf, stridesOf } from "../../tensor/index.js";
import type { Build } from "../builder.js";
import { broadcastShapes, productOf } from "../dims.js";
import { broadcastReader, broadcastSizes, fill, flatIndex } from "../loops.js";
import type { Dense, Operator } from "../op.js";
import { numberOf } from "../op.js";
import { unbroadcast } from "../unbroadcast.js";
import type { Value } from "../value.js";

/** Number of leading axes of the data that each row of ND indices addresses. */
function depthOf(op: string, indices: Value, data: Value): number {
  if (indices.dtype !== "int64") throw new ShapeError(`${op}: indices must be int64, got ${indices.dtype}`);
  const depth = indices.shape.at(-1);
  if (typeof depth !== "number" || depth < 1 || depth > data.shape.length) {
    throw new ShapeError(
      `${op}: the last axis of indices ${formatShape(indices.shape)} must be 1 … ${data.shape.length} for data ${formatShape(data.shape)}`,
    );
  }
  return depth;
}

/** Start of the block of `data` that row `row` of the indices addresses, in elements. */
function blockStart(op: string, data: Dense, indices: Dense, row: number): number {
  const depth = indices.shape.at(-1)!;
  const strides = stridesOf(data.shape);
  let start = 0;
  for (let i = 0; i < depth; i++) {
    start += asAxis(op, indices.data[row * depth + i], data.shape[i]) * strides[i];
  }
  return start;
}

/** Throws ShapeError unless there is one index per element taken, along one axis of the data. */
function checkElements(op: string, x: Value, indices: Value, axis: number): void {
  const fits =
    indices.shape.length === x.shape.length &&
    indices.shape.every((dim, i) => i === axis || typeof dim !== "number" || !((x.shape[i] as number) < dim));
  if (!fits || indices.dtype !== "int64") {
    throw new ShapeError(
      `${op}: indices must be int64 within ${formatShape(x.shape)} but for axis ${axis}, got ${formatShape(indices.shape)} ${indices.dtype}`,
    );
  }
}

/** Flat position in `x` of the element that each index along `axis` addresses. */
function elementPositions(op: string, x: Dense, indices: Dense, axis: number): Dense {
  const strides = stridesOf(x.shape);
  return fill(
    indices.shape,
    (flat, index) =>
      flatIndex(strides, index) + (asAxis(op, indices.data[flat], x.shape[axis]) - index[axis]) * strides[axis],
  );
}

/**
 * Zeros of a shape, with `d` added at the indices that were gathered along an axis. By elements, which the device adds one
 * after the other: it adds the blocks of ScatterND in several threads at once, in any order, and may lose some.
 */
function addedTo(build: Build, shape: Value["shape"], indices: Value, d: Value, axis: number): Value {
  const count = productOf(indices.shape);
  const whole = shape.toSpliced(axis, 1, count);
  const others = whole.flatMap((_, i) => (i === axis ? [] : [i]));
  const flat = build.cast(build.reshape(indices, [count]), "int64");
  const places = build.expand(build.unsqueeze(flat, others), whole);
  const zeros = build.expand(build.scalar(0, d.dtype), shape);
  return build.scatterElements(zeros, places, build.reshape(d, whole), axis, "add");
}

/** The most rows of a table whose slopes are a product: with more, adding element by element takes less time (measured). */
const fewRows = 256;

/**
 * The same for the first axis of a table of few rows that is read at least as often as it has rows: a product with ones
 * where a row was read, 0 elsewhere, which runs on all cores. Undefined for other tables.
 *
 * Differs  a slope that is not finite spreads to all rows
 */
function summedRows(build: Build, { shape }: Value, indices: Value, d: Value, axis: number): Value | undefined {
  const [rows, ...rest] = shape;
  const count = productOf(indices.shape);
  if (axis !== 0 || typeof rows !== "number" || typeof count !== "number") return undefined;
  if (rows > fewRows || count < rows) return undefined;
  const flat = build.reshape(build.cast(indices, "int32"), [count]);
  const isRead = build.oneHot(build.where(build.less(flat, 0), build.add(flat, rows), flat), rows, d.dtype);
  const sums = build.matMul(build.transpose(isRead, [1, 0]), build.reshape(d, [count, productOf(rest)]));
  return build.reshape(sums, shape);
}

export const select: Readonly<Record<string, Operator>> = {
  Where: {
    arity: [3, 3],
    infer: ([condition, a, b]) => {
      if (condition.dtype !== "bool") throw new ShapeError(`Where: the condition must be bool, got ${condition.dtype}`);
      if (a.dtype !== b.dtype) throw new ShapeError(`Where: branches differ in dtype, got ${a.dtype} and ${b.dtype}`);
      return { shape: broadcastShapes("Where", condition.shape, a.shape, b.shape), dtype: a.dtype };
    },
    reference: ([condition, a, b]) => {
      const [test, readA, readB] = [condition, a, b].map(broadcastReader);
      return fill(broadcastSizes([condition.shape, a.shape, b.shape]), (_, index) =>
        test(index) !== 0 ? readA(index) : readB(index),
      );
    },
    vjp: (build, d, { inputs: [condition, a, b] }) => [
      undefined,
      unbroadcast(build, build.where(condition, d, 0), a.shape),
      unbroadcast(build, build.where(condition, 0, d), b.shape),
    ],
  },
  Gather: {
    arity: [2, 2],
    attributes: { axis: "int" },
    infer: ([x, indices], attributes) => {
      if (indices.dtype !== "int32" && indices.dtype !== "int64") {
        throw new ShapeError(`Gather: indices must be int32 or int64, got ${indices.dtype}`);
      }
      const axis = numberOf(attributes, "axis");
      return { shape: x.shape.toSpliced(axis, 1, ...indices.shape), dtype: x.dtype };
    },
    reference: ([x, indices], attributes) => {
      const axis = numberOf(attributes, "axis");
      const inner = sizeOf(x.shape.slice(axis + 1));
      const count = indices.data.length;
      const length = x.shape[axis];
      return fill(x.shape.toSpliced(axis, 1, ...indices.shape), (flat) => {
        const at = asAxis("Gather", indices.data[Math.floor(flat / inner) % count], length);
        return x.data[(Math.floor(flat / (inner * count)) * length + at) * inner + (flat % inner)];
      });
    },
    vjp: (build, d, { inputs: [x, indices], attributes }) => {
      const axis = numberOf(attributes, "axis");
      return [summedRows(build, x, indices, d, axis) ?? addedTo(build, x.shape, indices, d, axis), undefined];
    },
  },
  GatherElements: {
    arity: [2, 2],
    attributes: { axis: "int" },
    infer: ([x, indices], attributes) => {
      checkElements("GatherElements", x, indices, numberOf(attributes, "axis"));
      return { shape: indices.shape, dtype: x.dtype };
    },
    reference: ([x, indices], attributes) => {
      const { shape, data } = elementPositions("GatherElements", x, indices, numberOf(attributes, "axis"));
      return { shape, data: data.map((at) => x.data[at]) };
    },
    vjp: (build, d, { inputs: [x, indices], attributes }) => {
      const zeros = build.expand(build.scalar(0, d.dtype), x.shape);
      return [build.scatterElements(zeros, indices, d, numberOf(attributes, "axis"), "add"), undefined];
    },
  },
  ScatterElements: {
    arity: [3, 3],
    attributes: { axis: "int", reduction: "string" },
    infer: ([x, indices, updates], attributes) => {
      checkElements("ScatterElements", x, indices, numberOf(attributes, "axis"));
      if (indices.shape.join() !== updates.shape.join() || updates.dtype !== x.dtype) {
        throw new ShapeError(
          `ScatterElements: updates must be ${formatShape(indices.shape)} ${x.dtype}, got ${formatShape(updates.shape)} ${updates.dtype}`,
        );
      }
      return x;
    },
    reference: ([x, indices, updates], attributes) => {
      const positions = elementPositions("ScatterElements", x, indices, numberOf(attributes, "axis"));
      const data = x.data.slice();
      positions.data.forEach((at, i) => {
        data[at] = attributes["reduction"] === "add" ? data[at] + updates.data[i] : updates.data[i];
      });
      return { shape: x.shape, data };
    },
    vjp: (build, d, { inputs: [, indices, updates], attributes }) => {
      const axis = numberOf(attributes, "axis");
      const zeros = build.expand(build.scalar(0, d.dtype), updates.shape);
      const kept = attributes["reduction"] === "add" ? d : build.scatterElements(d, indices, zeros, axis, "none");
      return [kept, undefined, build.gatherElements(d, indices, axis)];
    },
  },
  GatherND: {
    arity: [2, 2],
    infer: ([x, indices]) => {
      const depth = depthOf("GatherND", indices, x);
      return { shape: [...indices.shape.slice(0, -1), ...x.shape.slice(depth)], dtype: x.dtype };
    },
    reference: ([x, indices]) => {
      const depth = indices.shape.at(-1)!;
      const block = sizeOf(x.shape.slice(depth));
      return fill([...indices.shape.slice(0, -1), ...x.shape.slice(depth)], (flat) => {
        return x.data[blockStart("GatherND", x, indices, Math.floor(flat / block)) + (flat % block)];
      });
    },
    vjp: (build, d, { inputs: [x, indices] }) => [
      build.scatterND(build.expand(build.scalar(0, d.dtype), x.shape), indices, d, "add"),
      undefined,
    ],
  },
  ScatterND: {
    arity: [3, 3],
    attributes: { reduction: "string" },
    infer: ([x, indices, updates]) => {
      const depth = depthOf("ScatterND", indices, x);
      const expected = [...indices.shape.slice(0, -1), ...x.shape.slice(depth)];
      if (expected.join() !== updates.shape.join() || updates.dtype !== x.dtype) {
        throw new ShapeError(
          `ScatterND: updates must be ${formatShape(expected)} ${x.dtype}, got ${formatShape(updates.shape)} ${updates.dtype}`,
        );
      }
      return x;
    },
    reference: ([x, indices, updates], { reduction }) => {
      const block = sizeOf(x.shape.slice(indices.shape.at(-1)));
      const data = x.data.slice();
      updates.data.forEach((value, flat) => {
        const at = blockStart("ScatterND", x, indices, Math.floor(flat / block)) + (flat % block);
        data[at] = reduction === "add" ? data[at] + value : value;
      });
      return { shape: x.shape, data };
    },
    vjp: (build, d, { inputs: [, indices, updates], attributes: { reduction } }) => {
      const zeros = build.expand(build.scalar(0, d.dtype), updates.shape);
      const kept = reduction === "add" ? d : build.scatterND(d, indices, zeros, "none");
      return [kept, undefined, build.gatherND(d, indices)];
    },
  },
};
