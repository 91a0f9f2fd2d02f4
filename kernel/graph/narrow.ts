import { formatShape, Tensor, UnsupportedError } from "../tensor/index.js";
import { build } from "./build.js";
import { constant, input } from "./ops/index.js";
import { rewrite } from "./rewrite.js";
import type { Value } from "./value.js";

/** Operands that ONNX wants as int64, by operator. */
const wideOperands: Readonly<Record<string, number>> = {
  GatherElements: 1,
  ScatterElements: 1,
  GatherND: 1,
  ScatterND: 1,
};

/**
 * The int32 form of whole numbers that were kept as int64.
 *
 * Throws   UnsupportedError on a number that does not fit into 32 bits
 */
export function narrowed(place: string, { shape, data }: Tensor<"int64">): Tensor<"int32"> {
  const bad = data.find((x) => x !== BigInt.asIntN(32, x));
  if (bad !== undefined) {
    throw new UnsupportedError(
      `${place}: holds ${bad} (${formatShape(shape)} int64), but this device counts in 32 bits; use device "cpu"`,
    );
  }
  return new Tensor("int32", shape, Int32Array.from(data, Number));
}

function narrowLeaf(value: Value): Value {
  const { source, dtype, shape } = value;
  if (dtype !== "int64") return value;
  if (source?.kind === "input") return input(source.name, "int32", shape);
  if (source?.kind === "constant") return constant(narrowed("a constant", source.tensor as Tensor<"int64">));
  return Object.freeze<Value>({ ...value, dtype: "int32" });
}

/**
 * The same outputs with int32 in place of int64, for devices that have few kernels for it; inputs keep their names.
 * Numbers beyond 32 bits that arise inside the graph wrap around.
 */
export function narrowIntegers(outputs: Readonly<Record<string, Value>>): Readonly<Record<string, Value>> {
  return rewrite(outputs, (value, inputs) => {
    const { op, attributes } = value;
    if (!op) return narrowLeaf(value);
    if (inputs.every((x, i) => x === value.inputs[i]) && value.dtype !== "int64") return value;
    if (op === "Cast") return build.cast(inputs[0], value.dtype === "int64" ? "int32" : value.dtype);
    const wide = inputs.map((x, i) => (wideOperands[op] === i ? build.cast(x, "int64") : x));
    return build.cast(build.apply(op, wide, attributes), value.dtype === "int64" ? "int32" : value.dtype);
  });
}
