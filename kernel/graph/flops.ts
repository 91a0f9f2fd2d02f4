import { sizeOf } from "../tensor/index.js";
import type { SymbolicShape } from "./dims.js";
import { bindShape } from "./dims.js";
import type { Program } from "./program.js";
import { bodyOf } from "./program.js";
import type { Loop, Value } from "./value.js";

/** Operators that move or choose numbers, and compute none. */
const moves: ReadonlySet<string> = new Set([
  ...["Concat", "Expand", "Identity", "Reshape", "Squeeze", "Transpose", "Unsqueeze", "Pad", "Slice", "Trilu"],
  ...["Gather", "GatherElements", "GatherND", "ScatterElements", "ScatterND", "Where", "Cast"],
]);

/** Operators that do so much with every number that they read. */
const perNumberRead: Readonly<Record<string, number>> = {
  ...{ ReduceMax: 1, ReduceMean: 1, ReduceProd: 1, ReduceSum: 1, CumSum: 1, ArgMax: 1, TopK: 1 },
  // Largest, difference, exponential, sum, quotient; or logarithm.
  ...{ Softmax: 5, LogSoftmax: 5 },
  // Mean, difference, square, mean, quotient, weight, bias.
  LayerNormalization: 7,
  // x · (1 + erf(x / √2)) / 2
  Gelu: 5,
};

/**
 * Arithmetic operations of one run: two for each multiplication of a product that is added up, one for every other number
 * that is computed, those of softmax, norms and reductions by what they read, none for what moves numbers; the body of a
 * loop as often as it turns.
 *
 *   MatMul 2·|out|·K    Conv 2·|out|·C·|kernel|, of the channels C that one output reads
 *
 * Range    of the graph as it is written: a device may compute less where it fuses, and more where it pads
 */
export function flopsOf({ values }: Pick<Program, "values">, sizes: Readonly<Record<string, number>> = {}): number {
  const count = (value: Value, shape: SymbolicShape): number =>
    sizeOf(bindShape(value.label ?? value.op, shape, sizes));
  const loops = new Set<Loop>();
  return values.reduce((sum, value) => {
    const { op, inputs, loop } = value;
    if (loop) {
      if (loops.has(loop)) return sum;
      loops.add(loop);
      const [turns] = bindShape("repeat", [loop.times], sizes);
      const wanted = values.filter((own) => own.loop === loop).map((own) => own.attributes["result"]);
      const kept = loop.collect.filter((_, i) => wanted.includes(loop.next.length + i));
      return sum + turns * flopsOf(bodyOf(loop, [...loop.next, ...kept]), sizes);
    }
    if (op === "" || moves.has(op)) return sum;
    if (op === "MatMul") return sum + 2 * count(value, value.shape) * count(value, inputs[0].shape.slice(-1));
    if (op === "Conv") return sum + 2 * count(value, value.shape) * count(value, inputs[1].shape.slice(1));
    // Each number that is read is spread over the kernel, into all channels of its group.
    if (op === "ConvTranspose") return sum + 2 * count(value, inputs[0].shape) * count(value, inputs[1].shape.slice(1));
    if (Object.hasOwn(perNumberRead, op)) return sum + perNumberRead[op] * count(value, inputs[0].shape);
    return sum + count(value, value.shape);
  }, 0);
}
