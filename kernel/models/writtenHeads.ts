import type { Value } from "../graph/index.js";
import { build } from "../graph/index.js";
import { EngineError } from "../tensor/index.js";
import type { GraphContext } from "./family.js";
import { mergeHeads } from "./layers.js";

/** The right operand of the one product that `written` is of `x`, its bias aside. */
function projectionOf(written: Value, x: Value): Value {
  const product = written.op === "Add" ? written.inputs[0] : written;
  if (product.op !== "MatMul" || product.inputs[0] !== x) {
    throw new EngineError("attention: its output is not one product of the merged heads");
  }
  return product.inputs[1];
}

/**
 * What attention writes; what each head writes of it is addressed as `attn.result`.
 *
 *   result[h] = λ ⊙ (z[h] · W_O[h]),  out = λ ⊙ (z · W_O + b_O) + Σ_h (result′[h] − result[h])
 *
 * where result′ is what an edit made of it: nothing where there is none, so the projection stays one product, and an edit
 * that changes no number changes no bit.
 *
 * Shapes   z [B,H,Q,D] · λ [M] or a number · result [B,Q,H,M] → [B,Q,M]
 * Range    Σ_h result[h] + λ ⊙ b_O = out, before any norm behind the projection
 */
export function writtenHeads(
  tap: GraphContext["tap"],
  z: Value,
  output: (merged: Value) => Value,
  scale?: Value | number,
): Value {
  const scaled = (x: Value): Value => (scale === undefined ? x : build.mul(x, scale));
  const merged = mergeHeads(z);
  const projected = output(merged);
  const matrix = projectionOf(projected, merged); // [H·D,M]
  const [, heads, , headDim] = z.shape;
  const each = build.matMul(z, build.reshape(matrix, [heads, headDim, matrix.shape[1]])); // [B,H,Q,M]
  const result = scaled(build.transpose(each, [0, 2, 1, 3]));
  const tapped = tap("attn.result", result);
  const written = scaled(projected);
  // A tap without an edit only gives its value a name.
  const isEdited = tapped.inputs !== result.inputs;
  return isEdited ? build.add(written, build.reduceSum(build.sub(tapped, result), [2])) : written;
}
