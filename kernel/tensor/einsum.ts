import type { DType } from "./dtype.js";
import { isFloat, packNumbers } from "./dtype.js";
import { parseEinsum } from "./einsumSpec.js";
import { OptionError, ShapeError } from "./errors.js";
import { sizeOf, stridesOf } from "./shape.js";
import { Tensor } from "./tensor.js";

/**
 * Products summed over every axis that the output leaves out, in float64 loops; a letter that repeats within an
 * operand takes its diagonal.
 *
 * Throws   OptionError on a malformed expression; ShapeError where it does not fit the operands or their dtypes differ
 * Example  einsum("bhqd,bhkd->bhqk", q, k)
 */
export function einsum<D extends DType>(expression: string, ...operands: readonly Tensor<D>[]): Tensor<D> {
  const spec = parseEinsum(
    expression,
    operands.map(({ shape }) => shape),
  );
  const { dtype } = operands[0];
  for (const other of operands) {
    if (other.dtype !== dtype)
      throw new ShapeError(`einsum: operands differ in dtype, got ${dtype} and ${other.dtype}`);
    if (!isFloat(other.dtype)) throw new OptionError(`einsum: expected float operands, got ${other.dtype}`);
  }
  const summed = [...spec.sizes.keys()].filter((letter) => !spec.output.includes(letter));
  const letters = [...spec.output, ...summed];
  const lengths = letters.map((letter) => spec.sizes.get(letter)!);
  const inner = sizeOf(lengths.slice(spec.output.length));
  // Step of each operand along each letter; a repeated letter steps along all of its axes at once.
  const steps = operands.map(({ shape }, i) => {
    const strides = stridesOf(shape);
    return letters.map((letter) =>
      spec.operands[i].reduce((step, own, axis) => (own === letter ? step + strides[axis] : step), 0),
    );
  });
  const data = operands.map((operand) => operand.numbers());
  const offsets = operands.map(() => 0);
  const index = letters.map(() => 0);
  const shape = lengths.slice(0, spec.output.length);
  const sums = new Float64Array(sizeOf(shape));
  for (let at = 0; at < sums.length; at++) {
    for (let turn = 0; turn < inner; turn++) {
      let product = 1;
      for (let i = 0; i < data.length; i++) product *= data[i][offsets[i]];
      sums[at] += product;
      for (let axis = letters.length - 1; axis >= 0; axis--) {
        const wraps = ++index[axis] === lengths[axis];
        for (let i = 0; i < data.length; i++) offsets[i] += steps[i][axis] * (wraps ? 1 - lengths[axis] : 1);
        if (!wraps) break;
        index[axis] = 0;
      }
    }
  }
  return new Tensor(dtype, shape, packNumbers(dtype, sums));
}
