import type { DType, Tensor } from "../../tensor/index.js";
import { bytesOf, formatShape, FormatError, sizeOf } from "../../tensor/index.js";
import type { SymbolicShape } from "../dims.js";
import type { Value, WeightSource } from "../value.js";

const storageBytes = (storage: WeightSource["storage"]): number => (storage === "bfloat16" ? 2 : bytesOf(storage));

/** A value fed at each run; axis words in its shape take their sizes from the feed. */
export function input(name: string, dtype: DType, shape: SymbolicShape): Value {
  return Object.freeze<Value>({
    op: "",
    inputs: [],
    attributes: {},
    shape,
    dtype,
    source: { kind: "input", name },
    label: name,
  });
}

/** A value known when the graph is built. */
export function constant(tensor: Tensor): Value {
  return Object.freeze<Value>({
    op: "",
    inputs: [],
    attributes: {},
    shape: tensor.shape,
    dtype: tensor.dtype,
    source: { kind: "constant", tensor },
  });
}

/**
 * A value that onnxruntime reads from a file by itself.
 *
 * Throws   FormatError unless the bytes are exactly those that the shape needs
 */
export function weight(dtype: DType, shape: readonly number[], source: Omit<WeightSource, "kind">): Value {
  const needed = sizeOf(shape) * storageBytes(source.storage);
  if (needed !== source.sizeBytes) {
    throw new FormatError(
      `weight: "${source.name}" has ${source.sizeBytes} bytes but shape ${formatShape(shape)} of ${source.storage} needs ${needed}`,
    );
  }
  return Object.freeze<Value>({
    op: "",
    inputs: [],
    attributes: {},
    shape,
    dtype,
    source: { kind: "weight", ...source },
    label: source.name,
  });
}
