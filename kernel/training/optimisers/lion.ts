import { build } from "../../graph/index.js";
import { checkOptions } from "../../tensor/index.js";
import type { Optimiser } from "../optimiser.js";
import { numberWithin } from "../optimiser.js";

export interface LionOptions {
  /** Default 10⁻⁴. */
  readonly rate?: number;
  /** Weight of the running mean in the step; default 0.9. */
  readonly beta1?: number;
  /** How much of the running mean stays; default 0.99. */
  readonly beta2?: number;
  /** Share of a weight, times the rate, that is taken off at each step; default 0. */
  readonly weightDecay?: number;
}

/**
 * Lion: every weight moves by the same amount, in the direction of a running mean.
 *
 *   w ← w − rate·(sign(β₁·m + (1 − β₁)·g) + λ·w)    m ← β₂·m + (1 − β₂)·g
 *
 * Source   arXiv:2302.06675 algorithm 2
 */
export function lion(options: LionOptions = {}): Optimiser {
  checkOptions("lion", options, ["rate", "beta1", "beta2", "weightDecay"]);
  const { rate = 1e-4, beta1 = 0.9, beta2 = 0.99, weightDecay = 0 } = options;
  numberWithin("lion", "rate", rate, [0, Infinity], true);
  numberWithin("lion", "beta1", beta1, [0, 1], true);
  numberWithin("lion", "beta2", beta2, [0, 1], true);
  numberWithin("lion", "weightDecay", weightDecay, [0, Infinity], true);
  return {
    name: "lion",
    options: { rate, beta1, beta2, weightDecay },
    rate,
    weightDecay,
    slots: ["mean"],
    scalars: () => ({}),
    update: ({ weights, slopes, slots, rate: size, decay }) => {
      const toward = build.sign(build.add(build.mul(slots["mean"], beta1), build.mul(slopes, 1 - beta1)));
      const mean = build.add(build.mul(slots["mean"], beta2), build.mul(slopes, 1 - beta2));
      const step = build.add(toward, build.mul(weights, decay));
      return { weights: build.sub(weights, build.mul(step, size)), slots: { mean } };
    },
  };
}
