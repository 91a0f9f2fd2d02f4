import { formatShape, ShapeError, sizeOf, stridesOf } from "../../tensor/index.js";
import { fill, flatIndex } from "../loops.js";
import type { Dense, Operator } from "../op.js";
import { numberOf, numbersOf } from "../op.js";

/** Calls `each` once per line of elements along an axis: the position of its first element, and the step to the next. */
function eachLine(shape: readonly number[], axis: number, each: (start: number, step: number) => void): void {
  const strides = stridesOf(shape);
  fill(shape.with(axis, 1), (_, index) => {
    each(flatIndex(strides, index), strides[axis]);
    return 0;
  });
}

export const rank: Readonly<Record<string, Operator>> = {
  CumSum: {
    arity: [1, 1],
    attributes: { axis: "scalar", exclusive: "int", reverse: "int" },
    infer: ([x]) => x,
    reference: ([x], attributes) => {
      const axis = numberOf(attributes, "axis");
      const exclusive = numberOf(attributes, "exclusive") === 1;
      const reverse = numberOf(attributes, "reverse") === 1;
      const length = x.shape[axis];
      const data = new Float64Array(x.data.length);
      eachLine(x.shape, axis, (start, step) => {
        let sum = 0;
        for (let i = 0; i < length; i++) {
          const at = start + (reverse ? length - 1 - i : i) * step;
          const before = sum;
          sum += x.data[at];
          data[at] = exclusive ? before : sum;
        }
      });
      return { shape: x.shape, data };
    },
    vjp: (build, d, { attributes }) => [
      build.apply("CumSum", [d], { ...attributes, reverse: 1 - numberOf(attributes, "reverse") }),
    ],
  },
  ArgMax: {
    arity: [1, 1],
    attributes: { axis: "int", keepdims: "int" },
    infer: ([x], attributes) => {
      const axis = numberOf(attributes, "axis");
      const keep = numberOf(attributes, "keepdims") === 1;
      return { shape: x.shape.toSpliced(axis, 1, ...(keep ? [1] : [])), dtype: "int64" };
    },
    // Of equal ones the first.
    reference: ([x], attributes) => {
      const axis = numberOf(attributes, "axis");
      const best: number[] = [];
      eachLine(x.shape, axis, (start, step) => {
        let at = 0;
        for (let i = 1; i < x.shape[axis]; i++) if (x.data[start + i * step] > x.data[start + at * step]) at = i;
        best.push(at);
      });
      const keep = numberOf(attributes, "keepdims") === 1;
      return { shape: x.shape.toSpliced(axis, 1, ...(keep ? [1] : [])), data: Float64Array.from(best) };
    },
    vjp: () => [undefined],
  },
  // The indices; the values are what GatherElements finds there, which carries the gradient.
  TopK: {
    arity: [1, 1],
    attributes: { k: "axes", axis: "int", largest: "int" },
    result: 1,
    infer: ([x], attributes) => {
      const [k] = numbersOf(attributes, "k");
      const length = x.shape[numberOf(attributes, "axis")];
      if (!Number.isInteger(k) || k < 1 || (typeof length === "number" && k > length)) {
        throw new ShapeError(`TopK: expected 1 … ${length} of ${formatShape(x.shape)}, got ${k}`);
      }
      return { shape: x.shape.with(numberOf(attributes, "axis"), k), dtype: "int64" };
    },
    reference: ([x], attributes): Dense => {
      const axis = numberOf(attributes, "axis");
      const [k] = numbersOf(attributes, "k");
      const sign = numberOf(attributes, "largest") === 1 ? -1 : 1;
      const shape = x.shape.with(axis, k);
      const data = new Float64Array(sizeOf(shape));
      const starts: number[] = [];
      eachLine(shape, axis, (start) => starts.push(start));
      const to = stridesOf(shape)[axis];
      let line = 0;
      eachLine(x.shape, axis, (start, step) => {
        const value = (i: number): number => sign * x.data[start + i * step];
        const order = Array.from({ length: x.shape[axis] }, (_, i) => i).sort((a, b) => value(a) - value(b) || a - b);
        for (let i = 0; i < k; i++) data[starts[line] + i * to] = order[i];
        line++;
      });
      return { shape, data };
    },
    vjp: () => [undefined],
  },
};
