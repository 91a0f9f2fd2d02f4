import { build } from "./build.js";
import { linearise } from "./order.js";
import type { Value } from "./value.js";

/**
 * A value as it would be if others of its graph were replaced: what lies between is written again, everything else is shared.
 *
 * Throws   ShapeError where a replacement does not fit
 * Example  substitute(logits, new Map([[lastHidden, otherHidden]])) // the logits of another hidden state
 */
export function substitute(value: Value, replacements: ReadonlyMap<Value, Value>): Value {
  const rewritten = new Map<Value, Value>(replacements);
  for (const node of linearise([value])) {
    if (rewritten.has(node)) continue;
    const inputs = node.inputs.map((x) => rewritten.get(x)!);
    const isSame = inputs.every((x, i) => x === node.inputs[i]);
    const again = isSame ? node : build.apply(node.op, inputs, node.attributes);
    rewritten.set(node, again === node || node.label === undefined ? again : build.named(node.label, again));
  }
  return rewritten.get(value)!;
}
