import { build } from "./build.js";
import type { SymbolicShape } from "./dims.js";
import { linearise } from "./order.js";
import { rewired } from "./rewrite.js";
import type { Loop, Value } from "./value.js";

/**
 * A value as it would be if others of its graph were replaced: what lies between is written again, everything else is shared.
 *
 * Shapes   a replacement may have another size on an axis that a word stands for; shapes that operators carry follow
 * Throws   ShapeError where a replacement does not fit
 * Example  substitute(logits, new Map([[lastHidden, otherHidden]])) // the logits of another hidden state
 */
export function substitute(value: Value, replacements: ReadonlyMap<Value, Value>): Value {
  const loops = new Map<Loop, Loop>();
  const rewritten = new Map<Value, Value>(replacements);
  for (const node of linearise([value], new Set(replacements.keys()))) {
    if (rewritten.has(node)) continue;
    const inputs = node.inputs.map((x) => rewritten.get(x)!);
    const isSame = node.file !== undefined || inputs.every((x, i) => x === node.inputs[i]);
    const again = isSame
      ? rewired(node, inputs)
      : node.loop
        ? onLoop(node, inputs, loops)
        : build.apply(node.op, inputs, resized(node, inputs));
    rewritten.set(node, again === node || node.label === undefined ? again : build.named(node.label, again));
  }
  return rewritten.get(value)!;
}

/** The attributes of an operator whose operands may have other sizes now: words in a shape become what they are there. */
function resized({ attributes, inputs }: Value, others: readonly Value[]): Value["attributes"] {
  const { shape } = attributes;
  if (!Array.isArray(shape)) return attributes;
  const sizes = new Map<number | string, number | string>();
  inputs.forEach((x, i) => {
    if (x.shape.length !== others[i].shape.length) return;
    x.shape.forEach((size, axis) => {
      const other = others[i].shape[axis];
      if (typeof size === "string" && size !== other) sizes.set(size, other);
    });
  });
  if (sizes.size === 0) return attributes;
  return { ...attributes, shape: (shape as SymbolicShape).map((size) => sizes.get(size) ?? size) };
}

/** A loop's result on other operands; the body is written again, once for all results, where it read what was replaced. */
function onLoop(node: Value, inputs: readonly Value[], written: Map<Loop, Loop>): Value {
  const loop = node.loop!;
  const captured = inputs.slice(loop.state.length + loop.slices.length);
  const replacements = new Map(loop.captured.map((leaf, i) => [leaf, captured[i]]));
  const again = (value: Value): Value => substitute(value, replacements);
  const { next, collect } = loop;
  const own = written.get(loop) ?? { ...loop, captured, next: next.map(again), collect: collect.map(again) };
  written.set(loop, own);
  return Object.freeze({ ...node, inputs, loop: own });
}
