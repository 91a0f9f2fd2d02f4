import { build } from "../graph/index.js";
import type { Probe } from "../models/index.js";
import { checkOptions, OptionError } from "../tensor/index.js";
import { overLayers, positions, ratio } from "./parts/attention.js";

export interface DiagonalOptions {
  /** How many tokens back: 0 the token itself, 1 the one before; on random tokens of period n, n for duplicates, n − 1 for induction. */
  readonly offset: number;
}

/**
 * The mean attention that real queries pay to the key a fixed number of tokens before them.
 *
 *   Σ_{q ≥ offset, q and q − offset real} A[q, q − offset] / Σ 1
 *
 * Shapes   [B,L,H]
 * Range    0 … 1; a perfect head of this offset has 1: rows that have no such key are not counted; 0 where no row has one
 * Source   TransformerLens' demos (mean diagonal)
 */
export function diagonal(options: DiagonalOptions): Probe {
  checkOptions("diagonal", options, ["offset"]);
  const { offset } = options;
  if (!Number.isInteger(offset) || offset < 0) {
    throw new OptionError(`diagonal: offset must be a whole number of at least 0, got ${String(offset)}`);
  }
  return {
    name: `diagonal ${offset}`,
    measure: (site) => {
      const order = positions(site);
      const back = build.sub(build.unsqueeze(order, [1]), build.unsqueeze(order, [0])); // [Q,K]
      const onIt = build.cast(build.equal(back, offset), "float32");
      const pairs = build.mul(build.mul(onIt, build.unsqueeze(site.real, [1])), build.unsqueeze(site.real, [2])); // [B,Q,K]
      const count = build.unsqueeze(build.reduceSum(pairs, [1, 2]), [1]);
      return overLayers(site, "attn.pattern", (pattern) =>
        ratio(build.reduceSum(build.mul(pattern, build.unsqueeze(pairs, [1])), [2, 3]), count),
      );
    },
  };
}
