import { checkOptions } from "../tensor/index.js";
import { numberWithin } from "./optimiser.js";

/** What the rate is multiplied by at a step, 0 … steps − 1. */
export type Schedule = (step: number, steps: number) => number;

export interface ScheduleOptions {
  /** Steps over which the factor rises to 1; default 0. */
  readonly warmup?: number;
  /** What it ends at; default 0. */
  readonly floor?: number;
}

function falling(name: string, options: ScheduleOptions, shape: (share: number) => number): Schedule {
  checkOptions(name, options, ["warmup", "floor"]);
  const { warmup = 0, floor = 0 } = options;
  numberWithin(name, "warmup", warmup, [0, Infinity], true);
  numberWithin(name, "floor", floor, [0, 1]);
  return (step, steps) => {
    if (step < warmup) return (step + 1) / warmup;
    const share = Math.min(1, (step - warmup) / Math.max(1, steps - warmup));
    return floor + (1 - floor) * shape(share);
  };
}

/** The rate as it is, after an optional warm-up. */
export function constantRate(options: Pick<ScheduleOptions, "warmup"> = {}): Schedule {
  checkOptions("constantRate", options, ["warmup"]);
  return falling("constantRate", options, () => 1);
}

/** Falls in a straight line. */
export function linearRate(options: ScheduleOptions = {}): Schedule {
  return falling("linearRate", options, (share) => 1 - share);
}

/**
 * Falls along half a cosine.
 *
 * Source   arXiv:1608.03983 eq. 5, without restarts
 */
export function cosineRate(options: ScheduleOptions = {}): Schedule {
  return falling("cosineRate", options, (share) => (1 + Math.cos(Math.PI * share)) / 2);
}

/** Falls with the inverse root of the steps after the warm-up. Source: arXiv:1706.03762 eq. 3. */
export function inverseRootRate(options: { readonly warmup: number }): Schedule {
  checkOptions("inverseRootRate", options, ["warmup"]);
  const warmup = numberWithin("inverseRootRate", "warmup", options.warmup, [1, Infinity], true);
  return (step) => Math.min((step + 1) / warmup, Math.sqrt(warmup / (step + 1)));
}
