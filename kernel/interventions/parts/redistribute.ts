import type { Value } from "../../graph/index.js";
import { build } from "../../graph/index.js";

/**
 * Lowers the attention to some keys by a factor and gives what is freed to others in proportion.
 *
 *   A′ = β A where `from`, A · (1 + (1 − β) Σ_from A / Σ_to A) where `to`, A elsewhere
 *
 * Shapes   pattern [B,H,Q,K] · from, to broadcast to it · beta []
 * Range    rows keep their mass; a row with no mass in `to` stays as it is
 */
export function redistributed(pattern: Value, from: Value, to: Value, beta: Value): Value {
  const within = (set: Value): Value => build.where(set, pattern, 0);
  const [taken, given] = [from, to].map((set) => build.reduceSum(within(set), [3], true));
  const isPossible = build.greater(given, 0);
  const freed = build.mul(taken, build.sub(1, beta));
  const growth = build.add(build.div(freed, build.where(isPossible, given, 1)), 1);
  const moved = build.where(from, build.mul(pattern, beta), build.where(to, build.mul(pattern, growth), pattern));
  return build.where(isPossible, moved, pattern);
}
