import { linearise } from "./order.js";
import type { Value } from "./value.js";

/** What stands for a value once its operands are rewritten. */
export type Change = (value: Value, inputs: readonly Value[]) => Value;

/** The value itself on its rewritten operands. */
export function rewired(value: Value, inputs: readonly Value[]): Value {
  return inputs.every((x, i) => x === value.inputs[i]) ? value : Object.freeze({ ...value, inputs });
}

/** The same outputs with every value replaced by what `change` makes of it, operands first; labels stay. */
export function rewrite(outputs: Readonly<Record<string, Value>>, change: Change): Readonly<Record<string, Value>> {
  const made = new Map<Value, Value>();
  for (const value of linearise(Object.values(outputs))) {
    const changed = change(
      value,
      value.inputs.map((x) => made.get(x)!),
    );
    const { label } = value;
    made.set(
      value,
      label === undefined || changed.label === label ? changed : Object.freeze<Value>({ ...changed, label }),
    );
  }
  return Object.fromEntries(Object.entries(outputs).map(([name, value]) => [name, made.get(value)!]));
}
