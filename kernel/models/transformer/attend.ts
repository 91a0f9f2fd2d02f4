import type { Call, GateSpec } from "../../attention/index.js";
import { mixed } from "../../attention/steps.js";
import type { Value } from "../../graph/index.js";
import { build, substitute } from "../../graph/index.js";
import type { GraphContext } from "../family.js";
import type { LayerAttention } from "./config.js";

type Tap = GraphContext["tap"];

function reads(value: Value, target: Value): boolean {
  const seen = new Set<Value>();
  const visit = (node: Value): boolean => {
    if (node === target) return true;
    if (seen.has(node)) return false;
    seen.add(node);
    return node.inputs.some(visit);
  };
  return visit(value);
}

/**
 * A mechanism's head outputs, with its scores, pattern and outputs addressed. Where an address gives back another value,
 * what comes after reads that: a form that never makes its pattern is then written as pattern · v, which it promises to be.
 *
 * Shapes   → z [B,H,Q,E]
 */
export function attendAddressed(tap: Tap, { mechanism, options }: LayerAttention, call: Call): Value {
  const { scores, pattern, z } = mechanism.attend(call, options);
  const replaced = new Map<Value, Value>();
  if (scores) {
    const named = tap("attn.scores", scores);
    if (named !== scores) replaced.set(scores, named);
  }
  const own = replaced.size > 0 ? substitute(pattern, replaced) : pattern;
  const named = tap("attn.pattern", own);
  if (named === own && replaced.size === 0) return tap("attn.z", z);
  const makesPattern = reads(z, pattern);
  if (!makesPattern && mechanism.promises.mixesValues) return tap("attn.z", mixed(named, call.v));
  return tap("attn.z", makesPattern ? substitute(z, new Map([...replaced, [pattern, named]])) : z);
}

/** Numbers brought into an open interval. */
export function squash(x: Value, [low, high]: GateSpec["range"]): Value {
  if (Number.isFinite(low) && Number.isFinite(high)) {
    const share = build.sigmoid(x);
    return low === 0 && high === 1 ? share : build.add(build.mul(share, high - low), low);
  }
  if (Number.isFinite(low)) return build.add(build.softplus(x), low);
  if (Number.isFinite(high)) return build.sub(high, build.softplus(x));
  return x;
}

/** What `squash` takes to this value. */
export function unsquash(y: number, [low, high]: GateSpec["range"]): number {
  if (Number.isFinite(low) && Number.isFinite(high)) return Math.log((y - low) / (high - y));
  if (Number.isFinite(low)) return Math.log(Math.expm1(y - low));
  if (Number.isFinite(high)) return Math.log(Math.expm1(high - y));
  return y;
}

/** Each head's vectors at length 1. Shapes   x [B,H,T,D] */
export function unitVectors(x: Value): Value {
  return build.div(x, build.sqrt(build.add(build.reduceSum(build.mul(x, x), [3], true), 1e-6)));
}

/**
 * Each channel mixed with its own past.
 *
 *   y[t] = Σ_j w[j] ⊙ x[t − j],  0 ≤ j < taps
 *
 * Shapes   x [B,T,M], T known · w [taps,M] → [B,T,M]
 */
export function causalConvolution(x: Value, w: Value): Value {
  const taps = w.shape[0] as number;
  const [, length, width] = x.shape;
  const padded = build.pad(x, [[0, 0], [taps - 1, 0], [0, 0]]); // prettier-ignore
  const terms = Array.from({ length: taps }, (_, j) => {
    const moved = build.slice(padded, 1, taps - 1 - j, taps - 1 - j + (length as number));
    return build.mul(moved, build.reshape(build.slice(w, 0, j, j + 1), [width]));
  });
  return terms.reduce((sum, term) => build.add(sum, term));
}
