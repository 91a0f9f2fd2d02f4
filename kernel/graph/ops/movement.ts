import { asAxis, formatShape, ShapeError, stridesOf } from "../../tensor/index.js";
import type { Dim, SymbolicShape } from "../dims.js";
import { broadcastShapes, productOf, sumOf } from "../dims.js";
import { broadcastReader, broadcastSizes, fill, flatIndex } from "../loops.js";
import type { Operator } from "../op.js";
import { numberOf, numbersOf } from "../op.js";
import { unbroadcast } from "../unbroadcast.js";

const dimsOf = (shape: unknown): SymbolicShape => shape as SymbolicShape;

export const movement: Readonly<Record<string, Operator>> = {
  Identity: {
    arity: [1, 1],
    infer: ([x]) => x,
    reference: ([x]) => x,
    vjp: (_, d) => [d],
  },
  Reshape: {
    arity: [1, 1],
    attributes: { shape: "dims" },
    infer: ([x], { shape }) => {
      const target = dimsOf(shape);
      if (productOf(x.shape) !== productOf(target)) {
        throw new ShapeError(
          `Reshape: ${formatShape(x.shape)} and ${formatShape(target)} hold different numbers of elements`,
        );
      }
      return { shape: target, dtype: x.dtype };
    },
    reference: ([x], attributes) => ({ shape: numbersOf(attributes, "shape"), data: x.data }),
    vjp: (build, d, { inputs: [x] }) => [build.reshape(d, x.shape)],
  },
  Expand: {
    arity: [1, 1],
    attributes: { shape: "dims" },
    infer: ([x], { shape }) => ({ shape: broadcastShapes("Expand", x.shape, dimsOf(shape)), dtype: x.dtype }),
    reference: ([x], attributes) => {
      const read = broadcastReader(x);
      return fill(broadcastSizes([x.shape, numbersOf(attributes, "shape")]), (_, index) => read(index));
    },
    vjp: (build, d, { inputs: [x] }) => [unbroadcast(build, d, x.shape)],
  },
  Transpose: {
    arity: [1, 1],
    attributes: { perm: "ints" },
    infer: ([x], attributes) => {
      const perm = numbersOf(attributes, "perm");
      if ([...perm].sort((a, b) => a - b).join() !== x.shape.map((_, axis) => axis).join()) {
        throw new ShapeError(
          `Transpose: expected a permutation of the axes of ${formatShape(x.shape)}, got [${perm.join(",")}]`,
        );
      }
      return { shape: perm.map((axis) => x.shape[axis]), dtype: x.dtype };
    },
    reference: ([x], attributes) => {
      const perm = numbersOf(attributes, "perm");
      const strides = stridesOf(x.shape);
      const moved = perm.map((axis) => strides[axis]);
      return fill(
        perm.map((axis) => x.shape[axis]),
        (_, index) => x.data[flatIndex(moved, index)],
      );
    },
    vjp: (build, d, { attributes }) => {
      const perm = numbersOf(attributes, "perm");
      return [
        build.transpose(
          d,
          perm.map((_, axis) => perm.indexOf(axis)),
        ),
      ];
    },
  },
  Unsqueeze: {
    arity: [1, 1],
    attributes: { axes: "axes" },
    infer: ([x], attributes) => {
      const axes = numbersOf(attributes, "axes");
      const rest = [...x.shape];
      const rank = rest.length + axes.length;
      if (new Set(axes).size !== axes.length) throw new ShapeError(`Unsqueeze: axes repeat, got [${axes.join(",")}]`);
      axes.forEach((axis) => asAxis("Unsqueeze", axis, rank));
      const shape = Array.from({ length: rank }, (_, axis): Dim => (axes.includes(axis) ? 1 : rest.shift()!));
      return { shape, dtype: x.dtype };
    },
    reference: ([x], attributes) => {
      const axes = numbersOf(attributes, "axes");
      const rest = [...x.shape];
      const rank = rest.length + axes.length;
      return {
        shape: Array.from({ length: rank }, (_, axis) => (axes.includes(axis) ? 1 : rest.shift()!)),
        data: x.data,
      };
    },
    vjp: (build, d, { attributes }) => [build.squeeze(d, numbersOf(attributes, "axes"))],
  },
  Squeeze: {
    arity: [1, 1],
    attributes: { axes: "axes" },
    infer: ([x], attributes) => {
      const axes = numbersOf(attributes, "axes");
      const wrong = axes.find((axis) => x.shape[axis] !== 1);
      if (wrong !== undefined) {
        throw new ShapeError(`Squeeze: axis ${wrong} of ${formatShape(x.shape)} is not 1`);
      }
      return { shape: x.shape.filter((_, axis) => !axes.includes(axis)), dtype: x.dtype };
    },
    reference: ([x], attributes) => {
      const axes = numbersOf(attributes, "axes");
      return { shape: x.shape.filter((_, axis) => !axes.includes(axis)), data: x.data };
    },
    vjp: (build, d, { attributes }) => [build.unsqueeze(d, numbersOf(attributes, "axes"))],
  },
  Concat: {
    arity: [1, Infinity],
    attributes: { axis: "int" },
    infer: (inputs, attributes) => {
      const axis = numberOf(attributes, "axis");
      const [first] = inputs;
      for (const { shape, dtype } of inputs) {
        const fits =
          shape.length === first.shape.length && shape.every((dim, i) => i === axis || dim === first.shape[i]);
        if (!fits || dtype !== first.dtype) {
          throw new ShapeError(
            `Concat: parts must agree in dtype and in every axis but ${axis}, got ${formatShape(first.shape)} ${first.dtype} and ${formatShape(shape)} ${dtype}`,
          );
        }
      }
      const total = sumOf(inputs.map(({ shape }) => shape[axis]));
      return { shape: first.shape.map((dim, i) => (i === axis ? total : dim)), dtype: first.dtype };
    },
    reference: (inputs, attributes) => {
      const axis = numberOf(attributes, "axis");
      const starts: number[] = [];
      let total = 0;
      for (const { shape } of inputs) {
        starts.push(total);
        total += shape[axis];
      }
      const strides = inputs.map(({ shape }) => stridesOf(shape));
      return fill(
        inputs[0].shape.map((dim, i) => (i === axis ? total : dim)),
        (_, index) => {
          const part = inputs.findLastIndex(({ shape }, i) => starts[i] <= index[axis] && shape[axis] !== 0);
          const own = index.map((at, i) => (i === axis ? at - starts[part] : at));
          return inputs[part].data[flatIndex(strides[part], own)];
        },
      );
    },
    vjp: (build, d, { inputs, attributes }) => {
      const axis = numberOf(attributes, "axis");
      let start = 0;
      return inputs.map(({ shape }) => {
        const length = shape[axis];
        if (typeof length !== "number") throw new ShapeError(`Concat: no gradient along the symbolic axis "${length}"`);
        const part = build.slice(d, axis, start, start + length);
        start += length;
        return part;
      });
    },
  },
};
