import type { Value } from "../../graph/index.js";
import { build } from "../../graph/index.js";
import { kernelForm, noDecay } from "../kernelForm.js";
import type { Mechanism } from "../mechanism.js";
import { mechanism } from "../mechanism.js";
import { dot } from "../reference.js";
import type { Scale } from "../steps.js";

interface BasedOptions {
  readonly scale: Scale;
}

/** 1, x, x⊗x/√2: φ(x)·φ(y) = 1 + x·y + (x·y)²/2. Shapes   x [B,H,T,D] → [B,H,T,1+D+D²] */
function taylor(x: Value): Value {
  const [batch, heads, length, headDim] = x.shape;
  const dim = headDim as number;
  const pairs = build.mul(build.unsqueeze(x, [4]), build.unsqueeze(x, [3])); // [B,H,T,D,D]
  const flat = build.mul(build.reshape(pairs, [batch, heads, length, dim * dim]), Math.SQRT1_2);
  return build.concat([build.expand(build.scalar(1, x.dtype), [batch, heads, length, 1]), x, flat], 3);
}

/**
 * Linear attention whose features are the exponential's Taylor series to second order.
 *
 *   pattern[t,s] ∝ 1 + x + x²/2        x = scale · q_t·k_s, s ≤ t
 *
 * Range    rows sum to 1, weights > 0 (1 + x + x²/2 ≥ 1/2)
 * Source   Based, arXiv:2402.18668 §4.1; the feature map of Zoology, arXiv:2312.04927; "Approximate" of Deconstructing
 *          Attention, arXiv:2510.11602 eq. 6
 * Differs  the sliding window that Based adds in other layers is a mask on softmax here
 */
export const based: Mechanism<BasedOptions> = mechanism({
  name: "based",
  summary: "linear attention with the exponential's Taylor series to second order",
  source: "arXiv:2402.18668 §4.1",
  differs: "without the sliding window of the paper's other layers",
  rows: [16, 22],
  defaults: { scale: "1/√D" },
  limits: [{ when: "all scores are small", options: { scale: 1e-5 }, equals: "softmax", with: { scale: 1e-5 } }],
  ...kernelForm<BasedOptions>("based", {
    feature: taylor,
    featureDim: (headDim) => 1 + headDim + headDim ** 2,
    weight: (a, b) => 1 + dot(a, b) + dot(a, b) ** 2 / 2,
    isNormalised: () => true,
    decays: noDecay,
  }),
});
