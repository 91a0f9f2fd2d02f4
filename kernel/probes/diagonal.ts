import { build } from "../graph/index.js";
import type { Batch, Probe } from "../models/index.js";
import { checkOptions, OptionError, Tensor } from "../tensor/index.js";
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
      const [batch, query] = site.real.shape;
      const counted = build.unsqueeze(site.feed(`diagonal ${offset}`, countedQueries(site.batch, offset), site.real.shape), [1]); // prettier-ignore
      const count = build.reduceSum(counted, [2]); // [B,1]
      const key = build.cast(build.maximum(build.sub(positions(site), offset), 0), "int64");
      const keys = build.expand(build.unsqueeze(key, [0, 1, 3]), [batch, site.model.heads, query, 1]);
      return overLayers(site, "attn.pattern", (pattern) => {
        const onIt = build.squeeze(build.gatherElements(pattern, keys, 3), [3]); // [B,H,Q]
        return ratio(build.reduceSum(build.mul(onIt, counted), [2]), count);
      });
    },
  };
}

/** 1 for queries that are real and have a real key that many tokens before them, [B,Q]. */
function countedQueries({ size, length, attentionMask }: Batch, offset: number): Tensor<"float32"> {
  const isReal = (i: number, t: number): boolean => t >= 0 && attentionMask[i - (i % length) + t] === 1;
  return new Tensor(
    "float32",
    [size, length],
    Float32Array.from({ length: size * length }, (_, i) =>
      isReal(i, i % length) && isReal(i, (i % length) - offset) ? 1 : 0,
    ),
  );
}
