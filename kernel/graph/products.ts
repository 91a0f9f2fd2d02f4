import { numbersOf } from "./op.js";
import type { Value } from "./value.js";

/** The operator domain of onnxruntime's own additions. */
export const contribDomain = "com.microsoft";

/** A product as FusedMatMul reads it: operands as they lie, and which of them are transposed. */
export interface FusedProduct {
  readonly inputs: readonly [Value, Value];
  readonly transposed: readonly [a: boolean, b: boolean];
}

export interface TransposedProducts {
  readonly products: ReadonlyMap<Value, FusedProduct>;
  /** Transposes that nothing else reads. */
  readonly skipped: ReadonlySet<Value>;
}

export const noProducts: TransposedProducts = { products: new Map(), skipped: new Set() };

function swapsLast({ op, attributes, shape }: Value): boolean {
  const rank = shape.length;
  if (op !== "Transpose" || rank < 2) return false;
  const perm = numbersOf(attributes, "perm");
  return perm.every((from, to) => from === (to < rank - 2 ? to : 2 * rank - 3 - to));
}

/** How many values of a graph, or results of it, read each value. */
function readersOf(values: readonly Value[], results: Iterable<Value>): ReadonlyMap<Value, number> {
  const readers = new Map<Value, number>();
  const count = (x: Value): unknown => readers.set(x, (readers.get(x) ?? 0) + 1);
  for (const { inputs } of values) for (const x of new Set(inputs)) count(x);
  for (const x of results) count(x);
  return readers;
}

/**
 * Products with a transposed operand, which the kernel can read in place; the numbers stay the same bit by bit.
 * Weights that are stored [out,in] would otherwise be transposed when they load, which takes three times as long, and
 * derivatives of weights would be preceded by a pass over all activations (up to a quarter of such a product, measured).
 *
 * Differs  a transpose of a transpose that nothing else reads stays: onnxruntime makes one of both
 */
export function transposedProducts(values: readonly Value[], results: readonly Value[]): TransposedProducts {
  const readers = readersOf(values, results);
  const own = new Set(values);
  const isRead = (x: Value): boolean => {
    // What a loop's body reads from outside is there already, as it is.
    if (!own.has(x) || !swapsLast(x)) return false;
    const [inner] = x.inputs;
    return inner.op !== "Transpose" || (readers.get(inner) ?? 0) !== 1;
  };
  const products = new Map<Value, FusedProduct>();
  const inPlace = new Map<Value, number>();
  for (const value of values) {
    if (value.op !== "MatMul" || value.dtype !== "float32") continue;
    const [a, b] = value.inputs as [Value, Value];
    const transposed = [isRead(a), isRead(b)] as const;
    if (!transposed.includes(true)) continue;
    products.set(value, { inputs: [transposed[0] ? a.inputs[0] : a, transposed[1] ? b.inputs[0] : b], transposed });
    for (const x of new Set([a, b].filter((_, i) => transposed[i]))) inPlace.set(x, (inPlace.get(x) ?? 0) + 1);
  }
  const skipped = [...inPlace].flatMap(([x, count]) => (readers.get(x) === count ? [x] : []));
  return { products, skipped: new Set(skipped) };
}
