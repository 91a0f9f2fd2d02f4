import type { Value } from "../graph/index.js";
import { build } from "../graph/index.js";
import { hideScores } from "./steps.js";

/** Whether a score is among the highest `count` of its row, [B,H,Q,K]; what ties with the last of them is too. */
export function highest(scores: Value, mask: Value | undefined, count: number): Value {
  const lowered = hideScores(scores, mask);
  const keys = scores.shape[3];
  const kept = typeof keys === "number" ? Math.min(count, keys) : count;
  const lowest = build.slice(build.topK(lowered, kept, 3).values, 3, kept - 1, kept); // [B,H,Q,1]
  return build.greaterOrEqual(lowered, lowest);
}
