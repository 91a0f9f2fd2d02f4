import type { Value } from "../graph/index.js";
import { build } from "../graph/index.js";
import type { GraphContext } from "./family.js";
import { activations } from "./layers.js";

type Layer = (x: Value) => Value;

/** out(act(in(x))) with both sides of the activation addressed. */
export function mlp(tap: GraphContext["tap"], activation: string, inner: Layer, outer: Layer, x: Value): Value {
  const before = tap("mlp.pre", inner(x));
  return outer(tap("mlp.post", activations[activation](before)));
}

/**
 * down(act(gate) ⊙ up): `mlp.pre` is the gate, `mlp.pre_linear` what it gates.
 *
 * Source   arXiv:2002.05202 §2
 */
export function gatedMlp(
  tap: GraphContext["tap"],
  activation: string,
  [gate, up]: readonly [Value, Value],
  down: Layer,
): Value {
  const opened = activations[activation](tap("mlp.pre", gate));
  return down(tap("mlp.post", build.mul(opened, tap("mlp.pre_linear", up))));
}
