import { formatShape, isFloat, ShapeError, UnsupportedError } from "../tensor/index.js";
import { build } from "./build.js";
import { joinedPads } from "./joinedPads.js";
import { loopGroups } from "./loop.js";
import type { Pullback } from "./loopGradient.js";
import { loopCotangents } from "./loopGradient.js";
import { linearise } from "./order.js";
import { operators } from "./ops/index.js";
import type { Value } from "./value.js";

const pullback: Pullback = (seeds, wrt, leaves) => {
  const order = linearise([...seeds.map(([value]) => value), ...wrt], leaves);
  const wanted = new Set(wrt);
  const reaches = new Set<Value>();
  for (const node of order) {
    if (wanted.has(node) || (!leaves.has(node) && node.inputs.some((x) => reaches.has(x)))) reaches.add(node);
  }
  const cotangents = new Map<Value, Value>();
  const give = (x: Value, part: Value | undefined): void => {
    if (!part || !reaches.has(x)) return;
    const sum = cotangents.get(x);
    cotangents.set(x, sum ? (joinedPads(build, sum, part) ?? build.add(sum, part)) : part);
  };
  for (const [value, d] of seeds) give(value, d);
  const groups = loopGroups(order);
  for (const node of [...order].reverse()) {
    if (!node.op || leaves.has(node) || !node.inputs.some((x) => reaches.has(x))) continue;
    if (node.loop) {
      // All results of a loop are done together, at the first of them: by then every cotangent is complete.
      const results = groups.get(node)!;
      if (results[0] !== node || !results.some((value) => cotangents.has(value))) continue;
      const find = (value: Value): Value | undefined => cotangents.get(value);
      const parts = loopCotangents(pullback, results, find, (x) => reaches.has(x));
      node.inputs.forEach((x, i) => give(x, parts[i]));
      continue;
    }
    const d = cotangents.get(node);
    if (!d) continue;
    if (node.file) {
      throw new UnsupportedError(
        `gradients: "${node.label}" is computed by an ONNX file, whose nodes have no derivative; load the model from its safetensors`,
      );
    }
    const parts = operators[node.op].vjp(build, d, node);
    node.inputs.forEach((x, i) => give(x, parts[i]));
  }
  return wrt.map((x) => cotangents.get(x));
};

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
  const cotangents = pullback([[loss, build.scalar(1, loss.dtype)]], wrt, new Set());
  return wrt.map((x, i) => cotangents[i] ?? build.expand(build.scalar(0, x.dtype), x.shape));
}
