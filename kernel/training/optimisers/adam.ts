import { build } from "../../graph/index.js";
import { checkOptions } from "../../tensor/index.js";
import type { Optimiser } from "../optimiser.js";
import { numberWithin } from "../optimiser.js";

export interface AdamOptions {
  /** Default 10⁻³. */
  readonly rate?: number;
  /** How much of the running mean stays at each step; default 0.9. */
  readonly beta1?: number;
  /** The same for the running mean of squares; default 0.999. */
  readonly beta2?: number;
  /** Default 10⁻⁸. */
  readonly epsilon?: number;
  /** Share of a weight, times the rate, that is taken off at each step (AdamW); default 0. */
  readonly weightDecay?: number;
}

/**
 * Adam, with weight decay apart from the slopes.
 *
 *   m ← β₁·m + (1 − β₁)·g    v ← β₂·v + (1 − β₂)·g²
 *   w ← w − rate·(m/(1 − β₁ᵗ) / (√(v/(1 − β₂ᵗ)) + ε) + λ·w)
 *
 * Source   arXiv:1412.6980 algorithm 1; decay arXiv:1711.05101 algorithm 2, as in PyTorch's AdamW
 */
export function adam(options: AdamOptions = {}): Optimiser {
  checkOptions("adam", options, ["rate", "beta1", "beta2", "epsilon", "weightDecay"]);
  const { rate = 1e-3, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weightDecay = 0 } = options;
  numberWithin("adam", "rate", rate, [0, Infinity], true);
  numberWithin("adam", "beta1", beta1, [0, 1], true);
  numberWithin("adam", "beta2", beta2, [0, 1], true);
  numberWithin("adam", "epsilon", epsilon, [0, Infinity], true);
  numberWithin("adam", "weightDecay", weightDecay, [0, Infinity], true);
  return {
    name: "adam",
    options: { rate, beta1, beta2, epsilon, weightDecay },
    rate,
    weightDecay,
    slots: ["mean", "square"],
    scalars: (step) => ({ mean: 1 / (1 - beta1 ** step), root: 1 / Math.sqrt(1 - beta2 ** step) }),
    update: ({ weights, slopes, slots, rate: size, decay, scalars }) => {
      const mean = build.add(build.mul(slots["mean"], beta1), build.mul(slopes, 1 - beta1));
      const square = build.add(build.mul(slots["square"], beta2), build.mul(build.mul(slopes, slopes), 1 - beta2));
      const root = build.add(build.mul(build.sqrt(square), scalars["root"]), epsilon);
      const step = build.div(build.mul(mean, scalars["mean"]), root);
      const kept = build.mul(weights, build.sub(1, build.mul(decay, size)));
      return { weights: build.sub(kept, build.mul(step, size)), slots: { mean, square } };
    },
  };
}
