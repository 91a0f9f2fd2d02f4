import { sizeOf, stridesOf } from "../tensor/index.js";
import type { Dense } from "./op.js";

/** A dense tensor filled element by element; `f` gets the flat index and the index per axis (reused, do not keep). */
export function fill(shape: readonly number[], f: (flat: number, index: readonly number[]) => number): Dense {
  const data = new Float64Array(sizeOf(shape));
  const index = new Array<number>(shape.length).fill(0);
  for (let flat = 0; flat < data.length; flat++) {
    data[flat] = f(flat, index);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      index[axis]++;
      if (index[axis] < shape[axis]) break;
      index[axis] = 0;
    }
  }
  return { shape, data };
}

/** Reads a tensor at an index of the shape it broadcasts to. */
export function broadcastReader(x: Dense): (index: readonly number[]) => number {
  const strides = stridesOf(x.shape).map((stride, axis) => (x.shape[axis] === 1 ? 0 : stride));
  return (index) => {
    const skip = index.length - strides.length;
    let flat = 0;
    for (let axis = 0; axis < strides.length; axis++) flat += index[axis + skip] * strides[axis];
    return x.data[flat];
  };
}

/** The flat position of an index. */
export function flatIndex(strides: readonly number[], index: readonly number[]): number {
  let flat = 0;
  for (let axis = 0; axis < index.length; axis++) flat += index[axis] * strides[axis];
  return flat;
}

/** The shape that concrete operands broadcast to; they were checked when the graph was built. */
export function broadcastSizes(shapes: readonly (readonly number[])[]): number[] {
  const rank = Math.max(...shapes.map((shape) => shape.length));
  return Array.from({ length: rank }, (_, axis) => {
    const sizes = shapes.map((shape) => shape[axis - rank + shape.length] ?? 1);
    return sizes.find((size) => size !== 1) ?? 1;
  });
}

/** erf to about 1e-15: the series 2/√π · e^(−x²) · Σ 2ⁿ x^(2n+1) / (2n+1)!!, whose terms are all of one sign. */
export function erf(x: number): number {
  if (Number.isNaN(x)) return NaN;
  if (Math.abs(x) > 6) return Math.sign(x);
  let term = x;
  let sum = x;
  for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(sum) && n < 400; n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}
