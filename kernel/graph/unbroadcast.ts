import type { Build } from "./builder.js";
import type { SymbolicShape } from "./dims.js";
import type { Value } from "./value.js";

/** The cotangent of an operand that was broadcast: summed over the axes that it was stretched along. */
export function unbroadcast(build: Build, d: Value, shape: SymbolicShape): Value {
  const extra = d.shape.length - shape.length;
  const leading = Array.from({ length: extra }, (_, axis) => axis);
  const summed = extra > 0 ? build.reduceSum(d, leading, false) : d;
  const stretched = shape.flatMap((dim, axis) => (dim === 1 && summed.shape[axis] !== 1 ? [axis] : []));
  const fitted = stretched.length > 0 ? build.reduceSum(summed, stretched, true) : summed;
  // A cotangent may itself be smaller than the operand: a constant derivative, say.
  return fitted.shape.every((dim, axis) => dim === shape[axis]) && fitted.shape.length === shape.length
    ? fitted
    : build.expand(fitted, shape);
}
