import { formatShape, isFloat, ShapeError } from "../tensor/index.js";
import { build } from "./build.js";
import { linearise } from "./order.js";
import { operators } from "./ops/index.js";
import type { Value } from "./value.js";

/**
 * Derivatives of a scalar with respect to values of its own graph, as new values (reverse mode).
 *
 * Shapes   loss [] → one value per entry of `wrt`, of its shape
 * Range    0 where the loss does not depend on a value
 * Throws   ShapeError unless the loss is a float scalar
 */
export function gradients(loss: Value, wrt: readonly Value[]): readonly Value[] {
  if (loss.shape.length !== 0 || !isFloat(loss.dtype)) {
    throw new ShapeError(`gradients: the loss must be a float scalar, got ${formatShape(loss.shape)} ${loss.dtype}`);
  }
  const order = linearise([loss]);
  const wanted = new Set(wrt);
  const reaches = new Set<Value>();
  for (const node of order) if (wanted.has(node) || node.inputs.some((x) => reaches.has(x))) reaches.add(node);

  const cotangents = new Map<Value, Value>([[loss, build.scalar(1, loss.dtype)]]);
  for (const node of [...order].reverse()) {
    const d = cotangents.get(node);
    if (!d || !node.op || !node.inputs.some((x) => reaches.has(x))) continue;
    const parts = operators[node.op].vjp(build, d, node);
    node.inputs.forEach((x, i) => {
      const part = parts[i];
      if (!part || !reaches.has(x)) return;
      const sum = cotangents.get(x);
      cotangents.set(x, sum ? build.add(sum, part) : part);
    });
  }
  return wrt.map((x) => cotangents.get(x) ?? build.expand(build.scalar(0, x.dtype), x.shape));
}
