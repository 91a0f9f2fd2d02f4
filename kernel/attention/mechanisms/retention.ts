import { kernelForm } from "../kernelForm.js";
import type { Mechanism } from "../mechanism.js";
import { mechanism } from "../mechanism.js";
import { dot } from "../reference.js";
import type { Scale } from "../steps.js";

interface RetentionOptions {
  readonly scale: Scale;
}

/**
 * Retention: linear attention whose heads forget at fixed rates 1/32, 1/64, ….
 *
 *   z_t = scale · Σ_{s≤t} γ_h^{t−s} (q_t·k_s) v_s        γ_h = 1 − 2^(−5−h)
 *
 * Source   RetNet, arXiv:2307.08621 eq. 5, 6 and 8
 * Differs  the rotation of queries and keys and the group norm belong to the layer
 */
export const retention: Mechanism<RetentionOptions> = mechanism({
  name: "retention",
  summary: "linear attention whose heads forget at fixed rates",
  source: "arXiv:2307.08621 eq. 8",
  differs: "the rotation of queries and keys and the group norm belong to the layer",
  defaults: { scale: "1/√D" },
  limits: [],
  ...kernelForm<RetentionOptions>("retention", {
    feature: (x) => x,
    featureDim: (headDim) => headDim,
    weight: dot,
    isNormalised: () => false,
    decays: (heads) => Array.from({ length: heads }, (_, h) => 1 - 2 ** (-5 - h)),
  }),
});
