import type { Value } from "../../graph/index.js";
import { build } from "../../graph/index.js";

/** A norm as the numbers that its derivative needs. */
export interface NormParts {
  /** x̂, the normalised vector before its weight, [B,1,Q,M]. */
  readonly unit: Value;
  /** σ or the root mean square, [B,1,Q,1]. */
  readonly scale: Value;
  readonly weight: Value;
  readonly centred: boolean;
}

/** The parts of a layer norm or a root-mean-square norm of x; undefined for anything else. Shapes: norm, x [B,Q,M]. */
export function normParts(norm: Value, x: Value): NormParts | undefined {
  const apart = (value: Value): Value => build.unsqueeze(value, [1]);
  if (norm.op === "LayerNormalization") {
    const centred = build.sub(x, build.reduceMean(x, [2], true));
    const variance = build.reduceMean(build.mul(centred, centred), [2], true);
    const scale = build.sqrt(build.add(variance, norm.attributes["epsilon"] as number));
    return { unit: apart(build.div(centred, scale)), scale: apart(scale), weight: norm.inputs[1], centred: true };
  }
  const scale = norm.inputs[0]?.inputs[1];
  if (norm.op !== "Mul" || norm.inputs[0].op !== "Div" || scale.op !== "Sqrt") return undefined;
  return { unit: apart(build.div(x, scale)), scale: apart(scale), weight: norm.inputs[1], centred: false };
}

/**
 * The derivative of several losses with respect to what one norm reads, from those with respect to what it gives.
 *
 *   ĝ = g ∘ w, dx = (ĝ − mean ĝ − x̂ mean(ĝ ∘ x̂)) / σ; without a mean to take away, ĝ stays as it is
 *
 * Shapes   g [B,N,Q,M] → [B,N,Q,M]
 */
export function normGradient({ unit, scale, weight, centred }: NormParts, g: Value): Value {
  const own = build.mul(g, weight);
  const along = build.mul(unit, build.reduceMean(build.mul(own, unit), [3], true));
  const rest = centred ? build.sub(own, build.reduceMean(own, [3], true)) : own;
  return build.div(build.sub(rest, along), scale);
}
