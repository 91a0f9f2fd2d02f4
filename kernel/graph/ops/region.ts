import { formatShape, ShapeError, stridesOf } from "../../tensor/index.js";
import type { Build } from "../builder.js";
import { fill, flatIndex } from "../loops.js";
import type { Operator } from "../op.js";
import { numberOf, numbersOf } from "../op.js";
import type { Attributes, Value } from "../value.js";

/** What a Slice takes of its one axis. */
function rangeOf(attributes: Attributes) {
  const [axis, start, end] = ["axes", "starts", "ends"].map((name) => numbersOf(attributes, name)[0]);
  const step = "steps" in attributes ? numbersOf(attributes, "steps")[0] : 1;
  return { axis, start, end, step, length: Math.ceil((end - start) / step) };
}

function padAxis(build: Build, x: Value, axis: number, before: number, after: number): Value {
  if (before === 0 && after === 0) return x;
  const rank = x.shape.length;
  const pads = new Array<number>(2 * rank)
    .fill(0)
    .with(axis, before)
    .with(axis + rank, after);
  return build.apply("Pad", [x], { pads });
}

export const region: Readonly<Record<string, Operator>> = {
  Slice: {
    arity: [1, 1],
    attributes: { starts: "axes", ends: "axes", axes: "axes", steps: "axes" },
    infer: ([x], attributes) => {
      const { axis, start, end, step, length } = rangeOf(attributes);
      const whole = x.shape[axis];
      if (start < 0 || end < start || step < 1 || (typeof whole === "number" && end > whole)) {
        const by = step === 1 ? "" : ` by ${step}`;
        throw new ShapeError(`Slice: ${start} … ${end}${by} does not lie in axis ${axis} of ${formatShape(x.shape)}`);
      }
      return { shape: x.shape.with(axis, length), dtype: x.dtype };
    },
    reference: ([x], attributes) => {
      const { axis, start, step, length } = rangeOf(attributes);
      const strides = stridesOf(x.shape);
      const steps = strides.with(axis, strides[axis] * step);
      return fill(x.shape.with(axis, length), (_, index) => x.data[flatIndex(steps, index) + start * strides[axis]]);
    },
    vjp: (build, d, { inputs: [x], attributes }) => {
      const { axis, start, step, length } = rangeOf(attributes);
      const whole = x.shape[axis];
      if (typeof whole !== "number") throw new ShapeError(`Slice: no gradient along the symbolic axis "${whole}"`);
      // Zeros between the elements, then on both sides.
      const apart = padAxis(build, build.unsqueeze(d, [axis + 1]), axis + 1, 0, step - 1);
      const spread = step === 1 ? d : build.reshape(apart, x.shape.with(axis, length * step));
      const fitted = Math.min(length * step, whole - start);
      const cut = fitted < length * step ? build.slice(spread, axis, 0, fitted) : spread;
      return [padAxis(build, cut, axis, start, whole - start - fitted)];
    },
  },
  Pad: {
    arity: [1, 1],
    attributes: { pads: "axes" },
    infer: ([x], attributes) => {
      const pads = numbersOf(attributes, "pads");
      const rank = x.shape.length;
      if (pads.length !== 2 * rank || pads.some((width) => !Number.isInteger(width) || width < 0)) {
        throw new ShapeError(
          `Pad: expected ${2 * rank} widths of at least 0 for ${formatShape(x.shape)}, got [${pads.join(",")}]`,
        );
      }
      const shape = x.shape.map((dim, axis) => {
        const width = pads[axis] + pads[axis + rank];
        if (width > 0 && typeof dim !== "number") throw new ShapeError(`Pad: the symbolic axis "${dim}" cannot grow`);
        return width === 0 ? dim : (dim as number) + width;
      });
      return { shape, dtype: x.dtype };
    },
    reference: ([x], attributes) => {
      const pads = numbersOf(attributes, "pads");
      const rank = x.shape.length;
      const strides = stridesOf(x.shape);
      return fill(
        x.shape.map((dim, axis) => dim + pads[axis] + pads[axis + rank]),
        (_, index) => {
          let at = 0;
          for (let axis = 0; axis < rank; axis++) {
            const own = index[axis] - pads[axis];
            if (own < 0 || own >= x.shape[axis]) return 0;
            at += own * strides[axis];
          }
          return x.data[at];
        },
      );
    },
    vjp: (build, d, { inputs: [x], attributes }) => {
      const pads = numbersOf(attributes, "pads");
      const cut = x.shape.reduce<Value>(
        (rest, dim, axis) =>
          d.shape[axis] === dim ? rest : build.slice(rest, axis, pads[axis], pads[axis] + (dim as number)),
        d,
      );
      return [cut];
    },
  },
  Trilu: {
    arity: [1, 1],
    attributes: { k: "scalar", upper: "int" },
    infer: ([x]) => {
      if (x.shape.length < 2) throw new ShapeError(`Trilu: expected at least 2 axes, got ${formatShape(x.shape)}`);
      return x;
    },
    reference: ([x], attributes) => {
      const diagonal = numberOf(attributes, "k");
      const upper = numberOf(attributes, "upper") === 1;
      return fill(x.shape, (flat, index) => {
        const above = index[index.length - 1] - index[index.length - 2] - diagonal;
        return (upper ? above >= 0 : above <= 0) ? x.data[flat] : 0;
      });
    },
    vjp: (build, d, { attributes }) => [build.apply("Trilu", [d], attributes)],
  },
};
