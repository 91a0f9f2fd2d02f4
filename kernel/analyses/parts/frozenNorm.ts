import type { Value } from "../../graph/index.js";
import { build, substitute } from "../../graph/index.js";
import { UnsupportedError } from "../../tensor/index.js";

/**
 * A norm of another vector with the scale that it has now: linear in the vector, but for the bias.
 *
 *   layer norm: (r − mean r) / σ(x) · w + b · root mean square: r / rms(x) · w
 *
 * Shapes   norm, x, r [B,Q,M]
 * Throws   UnsupportedError on a norm of another kind
 */
export function frozenNorm(norm: Value, x: Value, r: Value): Value {
  if (norm.op === "LayerNormalization") {
    const [, weight, bias] = norm.inputs;
    const centred = build.sub(x, build.reduceMean(x, [2], true));
    const variance = build.reduceMean(build.mul(centred, centred), [2], true);
    const sigma = build.sqrt(build.add(variance, norm.attributes["epsilon"] as number));
    const own = build.div(build.sub(r, build.reduceMean(r, [2], true)), sigma);
    return build.add(build.mul(own, weight), bias);
  }
  const scale = norm.inputs[0]?.inputs[1];
  if (norm.op !== "Mul" || norm.inputs[0].op !== "Div" || scale.op !== "Sqrt") {
    throw new UnsupportedError(
      `attribution: the last norm is a ${norm.op || "leaf"}, expected a layer norm or a root mean square`,
    );
  }
  return substitute(norm, new Map([[x, r], [scale, scale]])); // prettier-ignore
}
