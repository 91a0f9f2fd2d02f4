import { numbersOf } from "./op.js";
import type { Program } from "./program.js";
import type { Value } from "./value.js";

/** The operator domain of onnxruntime's own additions. */
export const contribDomain = "com.microsoft";

export interface TransposedProducts {
  /** The weight b of each product a · bᵀ. */
  readonly operands: ReadonlyMap<Value, Value>;
  /** Transposes that nothing else reads. */
  readonly skipped: ReadonlySet<Value>;
}

export const noProducts: TransposedProducts = { operands: new Map(), skipped: new Set() };

function isTransposedWeight({ op, attributes, inputs: [x] }: Value): boolean {
  return op === "Transpose" && x.source?.kind === "weight" && numbersOf(attributes, "perm").join() === "1,0";
}

/**
 * Products with a weight that is stored [out,in], as linear layers store it: the kernel can then read it in place.
 * Otherwise onnxruntime transposes it when it loads, which takes three times as long; activations gain nothing (measured).
 */
export function transposedProducts({ values, outputs }: Program): TransposedProducts {
  const operands = new Map<Value, Value>();
  const read = new Set<Value>(Object.values(outputs));
  for (const value of values) {
    const [left, right] = value.inputs;
    if (value.op === "MatMul" && value.dtype === "float32" && isTransposedWeight(right)) {
      operands.set(value, right.inputs[0]);
      read.add(left);
    } else {
      for (const x of value.inputs) read.add(x);
    }
  }
  const skipped = values.filter((value) => isTransposedWeight(value) && !read.has(value));
  return { operands, skipped: new Set(skipped) };
}
