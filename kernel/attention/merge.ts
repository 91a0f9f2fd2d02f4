import type { Value } from "../graph/index.js";
import { build } from "../graph/index.js";
import { hideScores, hideWeights } from "./steps.js";

/** Softmax attention over a part of the keys, not yet divided. */
export interface Partial {
  /** Highest score of each query, [B,H,Q,1]; very low where it sees none of the part. */
  readonly top: Value;
  /** Σ exp(s − top), [B,H,Q,1]. */
  readonly sum: Value;
  /** Σ exp(s − top) · v, [B,H,Q,E]. */
  readonly weighted: Value;
}

/** Attention over one part: scores [B,H,Q,P] and its values [B,H,P,E]. */
export function partOf(scores: Value, mask: Value | undefined, v: Value): Partial {
  const lowered = hideScores(scores, mask);
  const top = build.reduceMax(lowered, [-1], true);
  const powers = hideWeights(build.exp(build.sub(lowered, top)), mask);
  return { top, sum: build.reduceSum(powers, [-1], true), weighted: build.matMul(powers, v) };
}

/** Two disjoint parts as one, in any order: each is scaled to the higher of both maxima. */
export function merged(a: Partial, b: Partial): Partial {
  const top = build.maximum(a.top, b.top);
  const [ofA, ofB] = [a, b].map((part) => build.exp(build.sub(part.top, top)));
  return {
    top,
    sum: build.add(build.mul(a.sum, ofA), build.mul(b.sum, ofB)),
    weighted: build.add(build.mul(a.weighted, ofA), build.mul(b.weighted, ofB)),
  };
}

/** The mean that a part stands for; 0 where the query sees no key. */
export function mean({ sum, weighted }: Partial): Value {
  return build.div(weighted, build.where(build.greater(sum, 0), sum, 1));
}

/** Keys from … to−1 of the last axis of scores or of a mask; a mask of one column stands for all. */
export function keysOf(x: Value, from: number, to: number): Value {
  const last = x.shape.length - 1;
  return x.shape[last] === 1 ? x : build.slice(x, last, from, to);
}
