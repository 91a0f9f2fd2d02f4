import { build } from "./build.js";
import { rewired, rewrite } from "./rewrite.js";
import type { Value } from "./value.js";

/** A value as float16: a weight is stored so, a product that was widened is taken back as it was. */
function half(x: Value): Value {
  const [operand] = x.inputs;
  if (x.source?.kind === "weight") return Object.freeze<Value>({ ...x, dtype: "float16" });
  if (x.op === "Transpose" && operand.source?.kind === "weight")
    return build.apply("Transpose", [half(operand)], x.attributes);
  if (x.op === "Cast" && operand.dtype === "float16") return operand;
  return build.cast(x, "float16");
}

/**
 * The same outputs with matrix products and their weights in float16; all else, norms, softmax and the residual stream
 * among it, stays in float32, so that nothing overflows where activations are large.
 *
 * Differs  inputs and outputs keep their element types
 */
export function halfProducts(outputs: Readonly<Record<string, Value>>): Readonly<Record<string, Value>> {
  return rewrite(outputs, (value, inputs) => {
    const { op, attributes, dtype } = value;
    const isLookup = op === "Gather" && inputs[0].source?.kind === "weight";
    if (dtype !== "float32" || !(op === "MatMul" || isLookup)) return rewired(value, inputs);
    const operands = op === "MatMul" ? inputs.map(half) : [half(inputs[0]), inputs[1]];
    return build.cast(build.apply(op, operands, attributes), "float32");
  });
}
