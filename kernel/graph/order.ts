import type { Value } from "./value.js";

/** Every value that the outputs reach, each once, operands before what uses them; nothing beyond `leaves`. */
export function linearise(outputs: readonly Value[], leaves: ReadonlySet<Value> = new Set()): readonly Value[] {
  const done = new Set<Value>();
  const stack: (readonly [Value, boolean])[] = outputs.map((value) => [value, false] as const).reverse();
  // An explicit stack: a long chain of operators must not overflow the call stack.
  while (stack.length > 0) {
    const [value, ready] = stack.pop()!;
    if (done.has(value)) continue;
    if (ready || leaves.has(value)) {
      done.add(value);
    } else {
      stack.push([value, true], ...value.inputs.map((x) => [x, false] as const).reverse());
    }
  }
  return [...done];
}
