import { Tensor } from "../tensor/index.js";
import type { Batch, InputSpec } from "./family.js";
import { sequenceOf } from "./stacks.js";

/** How distances are put into buckets. */
export interface Buckets {
  readonly count: number;
  /** From this distance on, all share the last bucket. */
  readonly maxDistance: number;
}

/**
 * The bucket of a distance: one each for the near ones, wider ones on a logarithmic scale beyond. Seen both ways, keys
 * after the query have the upper half of the buckets; seen one way, they share bucket 0 with the query itself.
 *
 *   exact = n/2;  d < exact: d,  else min(exact + ⌊ln(d/exact) / ln(maxDistance/exact) · (n − exact)⌋, n − 1)
 *
 * Source   arXiv:1910.10683 §2.1
 * Differs  in float32 step by step, as the trained models were: some distances lie on the edge of a bucket
 */
export function bucketOf(relative: number, bothWays: boolean, { count, maxDistance }: Buckets): number {
  const own = bothWays ? count / 2 : count;
  const base = bothWays && relative > 0 ? own : 0;
  const distance = bothWays ? Math.abs(relative) : Math.max(-relative, 0);
  const exact = Math.floor(own / 2);
  if (distance < exact) return base + distance;
  const f = Math.fround;
  const share = f(f(Math.log(f(distance / exact))) / f(Math.log(maxDistance / exact)));
  return base + Math.min(exact + Math.floor(f(share * (own - exact))), own - 1);
}

/** Buckets of every query and key, [length, length]. */
function square(length: number, bothWays: boolean, buckets: Buckets): Tensor {
  const byDistance = Array.from({ length: 2 * length }, (_, i) => bucketOf(i - length, bothWays, buckets));
  const data = Int32Array.from({ length: length * length }, (_, i) => {
    const [query, key] = [Math.floor(i / length), i % length];
    return byDistance[key - query + length];
  });
  return new Tensor("int32", [length, length], data);
}

/** The inputs by which a graph looks up its position bias. */
export const bucketInputs: readonly InputSpec[] = [
  { name: "encoder_buckets", dtype: "int32", shape: ["source", "source"] },
  { name: "decoder_buckets", dtype: "int32", shape: ["target", "target"] },
];

export function bucketFeeds(batch: Batch, buckets: Buckets): Readonly<Record<string, Tensor>> {
  return {
    encoder_buckets: square(batch.length, true, buckets),
    decoder_buckets: square(sequenceOf(batch, "decoder").length, false, buckets),
  };
}
