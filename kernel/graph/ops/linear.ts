import { formatShape, ShapeError, sizeOf, stridesOf } from "../../tensor/index.js";
import type { Build } from "../builder.js";
import { broadcastShapes, productOf } from "../dims.js";
import { broadcastSizes, fill, flatIndex } from "../loops.js";
import type { Operator } from "../op.js";
import { numbersOf } from "../op.js";
import { unbroadcast } from "../unbroadcast.js";
import type { Value } from "../value.js";

/** The last two axes swapped; what was swapped before is taken as it was. */
function swapLast(build: Build, x: Value): Value {
  const axes = x.shape.map((_, axis) => axis);
  const perm = [...axes.slice(0, -2), axes.length - 1, axes.length - 2];
  const isSwapped = x.op === "Transpose" && numbersOf(x.attributes, "perm").join() === perm.join();
  return isSwapped ? x.inputs[0] : build.transpose(x, perm);
}

export const linear: Readonly<Record<string, Operator>> = {
  MatMul: {
    arity: [2, 2],
    infer: ([a, b]) => {
      const both = `${formatShape(a.shape)} and ${formatShape(b.shape)}`;
      if (a.shape.length < 2 || b.shape.length < 2) {
        throw new ShapeError(`MatMul: operands need at least 2 axes, got ${both}`);
      }
      if (a.dtype !== b.dtype) throw new ShapeError(`MatMul: operands differ in dtype, got ${a.dtype} and ${b.dtype}`);
      if (a.shape.at(-1) !== b.shape.at(-2)) {
        throw new ShapeError(`MatMul: inner axes differ, got ${a.shape.at(-1)} and ${b.shape.at(-2)} (${both})`);
      }
      const leading = broadcastShapes("MatMul", a.shape.slice(0, -2), b.shape.slice(0, -2));
      return { shape: [...leading, a.shape.at(-2)!, b.shape.at(-1)!], dtype: a.dtype };
    },
    reference: ([a, b]) => {
      const [rows, inner] = a.shape.slice(-2) as [number, number];
      const columns = b.shape.at(-1)!;
      const leading = broadcastSizes([a.shape.slice(0, -2), b.shape.slice(0, -2), []]);
      const batchStrides = [a, b].map(({ shape }) => {
        const own = shape.slice(0, -2);
        const strides = stridesOf(own).map((stride, axis) => (own[axis] === 1 ? 0 : stride));
        return [...new Array<number>(leading.length - own.length).fill(0), ...strides];
      });
      const data = new Float64Array(sizeOf(leading) * rows * columns);
      fill(leading, (batch, index) => {
        const aStart = flatIndex(batchStrides[0], index) * rows * inner;
        const bStart = flatIndex(batchStrides[1], index) * inner * columns;
        for (let i = 0; i < rows; i++) {
          for (let j = 0; j < columns; j++) {
            let sum = 0;
            for (let k = 0; k < inner; k++) sum += a.data[aStart + i * inner + k] * b.data[bStart + k * columns + j];
            data[(batch * rows + i) * columns + j] = sum;
          }
        }
        return 0;
      });
      return { shape: [...leading, rows, columns], data };
    },
    vjp: (build, d, { inputs: [a, b] }) => {
      const da = unbroadcast(build, build.matMul(d, swapLast(build, b)), a.shape);
      if (b.shape.length > 2 || a.shape.length === 2) {
        return [da, unbroadcast(build, build.matMul(swapLast(build, a), d), b.shape)];
      }
      // One matrix for the whole batch: one product over all rows, instead of one per batch and their sum.
      const rows = (x: Value): Value => build.reshape(x, [productOf(x.shape.slice(0, -1)), x.shape.at(-1)!]);
      return [da, build.matMul(swapLast(build, rows(a)), rows(d))];
    },
  },
};
