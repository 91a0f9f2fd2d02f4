import type { Tensor } from "../tensor/index.js";
import { UnsupportedError } from "../tensor/index.js";
import { bindShape } from "./dims.js";
import { bindFeeds } from "./feeds.js";
import type { Dense } from "./op.js";
import { operators } from "./ops/index.js";
import { programOf } from "./program.js";
import type { Attributes, Value, WeightSource } from "./value.js";

function bindAttributes(value: Value, sizes: Readonly<Record<string, number>>): Attributes {
  const kinds = operators[value.op].attributes ?? {};
  return Object.fromEntries(
    Object.entries(value.attributes).map(([name, held]) => [
      name,
      kinds[name] === "dims" ? bindShape(value.op, held as readonly (number | string)[], sizes) : held,
    ]),
  );
}

/**
 * Runs a graph in plain float64 loops: the reference that everything faster is held to.
 *
 * Throws   UnsupportedError on a weight unless `weights` reads it
 */
export function evaluate(
  outputs: Readonly<Record<string, Value>>,
  feeds: Readonly<Record<string, Tensor>> = {},
  { weights }: { readonly weights?: (source: WeightSource) => ArrayLike<number> } = {},
): Record<string, Dense> {
  const program = programOf(outputs);
  const sizes = bindFeeds(program.inputs, feeds);
  const results = new Map<Value, Dense>();
  for (const value of program.values) {
    const { source } = value;
    if (source?.kind === "input") {
      const fed = feeds[source.name];
      results.set(value, { shape: fed.shape, data: fed.numbers() });
    } else if (source?.kind === "constant") {
      results.set(value, { shape: source.tensor.shape, data: source.tensor.numbers() });
    } else if (source?.kind === "weight") {
      if (!weights) throw new UnsupportedError(`evaluate: nothing reads the weight "${source.name}"; pass { weights }`);
      results.set(value, { shape: value.shape as readonly number[], data: Float64Array.from(weights(source)) });
    } else {
      const inputs = value.inputs.map((x) => results.get(x)!);
      results.set(value, operators[value.op].reference(inputs, bindAttributes(value, sizes)));
    }
  }
  return Object.fromEntries(Object.entries(program.outputs).map(([name, value]) => [name, results.get(value)!]));
}
