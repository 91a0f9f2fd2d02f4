import { formatShape, ShapeError, sizeOf, stridesOf } from "../../tensor/index.js";
import type { Build } from "../builder.js";
import type { Dim, SymbolicShape } from "../dims.js";
import { productOf } from "../dims.js";
import { fill } from "../loops.js";
import type { Dense, Operator } from "../op.js";
import { numberOf, numbersOf } from "../op.js";
import type { Attributes, Value } from "../value.js";

/** What both directions share; `pads` holds the widths before, then after each axis. */
function windowOf(attributes: Attributes) {
  const [strides, pads, dilations] = ["strides", "pads", "dilations"].map((name) => numbersOf(attributes, name));
  return { strides, pads, dilations, group: numberOf(attributes, "group") };
}

/** Sizes of an operand's axes behind batch and channel, or of a kernel. */
function spatialOf(op: string, { shape }: Value): readonly number[] {
  const spatial = shape.slice(2);
  if (spatial.length < 1 || !spatial.every((dim) => typeof dim === "number")) {
    throw new ShapeError(`${op}: expected numbers behind the first two axes, got ${formatShape(shape)}`);
  }
  return spatial;
}

function check(op: string, x: Value, w: Value, attributes: Attributes): void {
  const { strides, pads, dilations, group } = windowOf(attributes);
  const both = `${formatShape(x.shape)} and ${formatShape(w.shape)}`;
  if (x.dtype !== w.dtype) throw new ShapeError(`${op}: operands differ in dtype, got ${x.dtype} and ${w.dtype}`);
  if (x.shape.length !== w.shape.length) throw new ShapeError(`${op}: operands differ in rank, got ${both}`);
  const rank = spatialOf(op, x).length;
  const whole = (values: readonly number[], count: number, least: number): boolean =>
    values.length === count && values.every((value) => Number.isInteger(value) && value >= least);
  if (!whole(strides, rank, 1) || !whole(dilations, rank, 1) || !whole(pads, 2 * rank, 0) || !whole([group], 1, 1)) {
    throw new ShapeError(
      `${op}: expected ${rank} strides and dilations of at least 1, ${2 * rank} pads of at least 0 and a positive group, got [${strides.join(",")}], [${dilations.join(",")}], [${pads.join(",")}] and ${group}`,
    );
  }
}

/** Positions that a kernel spans along each axis. */
function extents(kernel: readonly number[], dilations: readonly number[]): number[] {
  return kernel.map((length, axis) => dilations[axis] * (length - 1) + 1);
}

/**
 * The cotangent of a kernel w that maps `large` to `small`: itself a convolution, of the large operand with the small
 * one's cotangent as kernel and the batch as channel; stride and dilation change places.
 */
function kernelCotangent(build: Build, large: Value, small: Value, w: Value, attributes: Attributes): Value {
  const { strides, pads, dilations, group } = windowOf(attributes);
  const [batch, channels, ...spatial] = large.shape;
  const rest = spatial.map((_, axis) => axis + 3);
  const grouped: SymbolicShape = [batch, group, (channels as number) / group, ...spatial];
  const turned = build.transpose(build.reshape(large, grouped), [2, 1, 0, ...rest]);
  const data = build.reshape(turned, [(channels as number) / group, productOf([group, batch]), ...spatial]);
  const kernel = build.transpose(small, [1, 0, ...rest.map((axis) => axis - 1)]);
  const wide = build.apply("Conv", [data, kernel], { strides: dilations, pads, dilations: strides, group });
  const cut = spatialOf("Conv", w).reduce<Value>(
    (x, length, axis) => (x.shape[axis + 2] === length ? x : build.slice(x, axis + 2, 0, length)),
    wide,
  );
  return build.transpose(cut, [1, 0, ...rest.map((axis) => axis - 1)]);
}

/**
 * Visits each product of a convolution: flat positions in the large operand, the small one and the kernel.
 *
 * Shapes   large [N,C,…] · small [N,M,…] · kernel [M,C/G,…]
 */
function eachProduct(
  large: readonly number[],
  small: readonly number[],
  kernel: readonly number[],
  attributes: Attributes,
  each: (large: number, small: number, kernel: number) => void,
): void {
  const { strides, pads, dilations, group } = windowOf(attributes);
  const [perGroup, own] = [kernel[0] / group, kernel[1]];
  const largeStrides = stridesOf(large);
  fill(small, (smallAt, place) => {
    const [n, m] = place;
    fill(kernel.slice(1), (within, offset) => {
      let at = n * largeStrides[0] + (Math.floor(m / perGroup) * own + offset[0]) * largeStrides[1];
      for (let axis = 0; axis < strides.length; axis++) {
        const i = place[axis + 2] * strides[axis] + offset[axis + 1] * dilations[axis] - pads[axis];
        if (i < 0 || i >= large[axis + 2]) return 0;
        at += i * largeStrides[axis + 2];
      }
      each(at, smallAt, m * sizeOf(kernel.slice(1)) + within);
      return 0;
    });
    return 0;
  });
}

const shared = { strides: "ints", pads: "ints", dilations: "ints", group: "int" } as const;

function convSizes(x: readonly number[], kernel: readonly number[], attributes: Attributes): number[] {
  const { strides, pads, dilations } = windowOf(attributes);
  return extents(kernel, dilations).map(
    (extent, axis) => Math.floor((x[axis] + pads[axis] + pads[axis + x.length] - extent) / strides[axis]) + 1,
  );
}

function transposedSizes(x: readonly number[], kernel: readonly number[], attributes: Attributes): number[] {
  const { strides, pads, dilations } = windowOf(attributes);
  const padding = numbersOf(attributes, "output_padding");
  return extents(kernel, dilations).map(
    (extent, axis) => strides[axis] * (x[axis] - 1) + padding[axis] + extent - pads[axis] - pads[axis + x.length],
  );
}

function positive(op: string, sizes: readonly number[], x: Value, w: Value): readonly Dim[] {
  if (sizes.some((size) => size < 1)) {
    throw new ShapeError(`${op}: nothing is left of ${formatShape(x.shape)} by a kernel ${formatShape(w.shape)}`);
  }
  return sizes;
}

export const convolution: Readonly<Record<string, Operator>> = {
  // Shapes   x [N,C,…] · w [M,C/G,…] → [N,M,…]
  Conv: {
    arity: [2, 2],
    attributes: shared,
    infer: ([x, w], attributes) => {
      check("Conv", x, w, attributes);
      const { group } = windowOf(attributes);
      if (productOf([w.shape[1], group]) !== x.shape[1] || (w.shape[0] as number) % group !== 0) {
        throw new ShapeError(
          `Conv: ${group} groups do not fit operands ${formatShape(x.shape)} and ${formatShape(w.shape)}`,
        );
      }
      const sizes = convSizes(spatialOf("Conv", x), spatialOf("Conv", w), attributes);
      return { shape: [x.shape[0], w.shape[0], ...positive("Conv", sizes, x, w)], dtype: x.dtype };
    },
    reference: ([x, w], attributes): Dense => {
      const shape = [x.shape[0], w.shape[0], ...convSizes(x.shape.slice(2), w.shape.slice(2), attributes)];
      const data = new Float64Array(sizeOf(shape));
      eachProduct(x.shape, shape, w.shape, attributes, (i, o, k) => (data[o] += x.data[i] * w.data[k]));
      return { shape, data };
    },
    vjp: (build, d, { inputs: [x, w], attributes }) => {
      const { strides, pads, dilations } = windowOf(attributes);
      const sizes = spatialOf("Conv", x);
      const output_padding = extents(spatialOf("Conv", w), dilations).map(
        (extent, axis) => (sizes[axis] + pads[axis] + pads[axis + sizes.length] - extent) % strides[axis],
      );
      return [
        build.apply("ConvTranspose", [d, w], { ...attributes, output_padding }),
        kernelCotangent(build, x, d, w, attributes),
      ];
    },
  },
  // Shapes   x [N,M,…] · w [M,C/G,…] → [N,C,…]
  ConvTranspose: {
    arity: [2, 2],
    attributes: { ...shared, output_padding: "ints" },
    infer: ([x, w], attributes) => {
      check("ConvTranspose", x, w, attributes);
      const { strides, group } = windowOf(attributes);
      const padding = numbersOf(attributes, "output_padding");
      if (padding.length !== strides.length || padding.some((width, axis) => width < 0 || width >= strides[axis])) {
        throw new ShapeError(
          `ConvTranspose: output_padding must be 0 … below the strides [${strides.join(",")}], got [${padding.join(",")}]`,
        );
      }
      if (x.shape[1] !== w.shape[0] || (w.shape[0] as number) % group !== 0) {
        throw new ShapeError(
          `ConvTranspose: ${group} groups do not fit operands ${formatShape(x.shape)} and ${formatShape(w.shape)}`,
        );
      }
      const sizes = transposedSizes(spatialOf("ConvTranspose", x), spatialOf("ConvTranspose", w), attributes);
      const shape = [x.shape[0], productOf([w.shape[1], group]), ...positive("ConvTranspose", sizes, x, w)];
      return { shape, dtype: x.dtype };
    },
    reference: ([x, w], attributes): Dense => {
      const sizes = transposedSizes(x.shape.slice(2), w.shape.slice(2), attributes);
      const shape = [x.shape[0], w.shape[1] * numberOf(attributes, "group"), ...sizes];
      const data = new Float64Array(sizeOf(shape));
      eachProduct(shape, x.shape, w.shape, attributes, (o, i, k) => (data[o] += x.data[i] * w.data[k]));
      return { shape, data };
    },
    vjp: (build, d, { inputs: [x, w], attributes: { output_padding: _, ...attributes } }) => [
      build.apply("Conv", [d, w], attributes),
      kernelCotangent(build, d, x, w, attributes),
    ],
  },
};
