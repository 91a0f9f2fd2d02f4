import { build } from "../../graph/index.js";
import { checkOptions } from "../../tensor/index.js";
import type { Optimiser } from "../optimiser.js";
import { numberWithin } from "../optimiser.js";

export interface SgdOptions {
  /** Default 0.1. */
  readonly rate?: number;
  /** How much of the last step goes on; default 0. */
  readonly momentum?: number;
  /** Share of a weight that is added to its slope; default 0. */
  readonly weightDecay?: number;
}

/**
 * Stochastic gradient descent with momentum.
 *
 *   b ← μ·b + g + λ·w    w ← w − rate·b
 *
 * Source   Polyak, USSR Comput. Math. Math. Phys. 4 (1964) 1, in the form of PyTorch's SGD
 */
export function sgd(options: SgdOptions = {}): Optimiser {
  checkOptions("sgd", options, ["rate", "momentum", "weightDecay"]);
  const { rate = 0.1, momentum = 0, weightDecay = 0 } = options;
  numberWithin("sgd", "rate", rate, [0, Infinity], true);
  numberWithin("sgd", "momentum", momentum, [0, 1], true);
  numberWithin("sgd", "weightDecay", weightDecay, [0, Infinity], true);
  return {
    name: "sgd",
    options: { rate, momentum, weightDecay },
    rate,
    weightDecay,
    slots: momentum > 0 ? ["velocity"] : [],
    scalars: () => ({}),
    update: ({ weights, slopes, slots, rate: size, decay }) => {
      const pull = build.add(slopes, build.mul(weights, decay));
      if (momentum === 0) return { weights: build.sub(weights, build.mul(pull, size)), slots: {} };
      const velocity = build.add(build.mul(slots["velocity"], momentum), pull);
      return { weights: build.sub(weights, build.mul(velocity, size)), slots: { velocity } };
    },
  };
}
