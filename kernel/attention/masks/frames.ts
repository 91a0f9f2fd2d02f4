import { wholeNumber } from "../../tensor/index.js";
import type { Mask } from "../mask.js";

export interface FramesOptions {
  /** Queries and keys of one frame; queries are in frame order as keys are. */
  readonly queries: number;
  readonly keys: number;
}

/**
 * Cross-attention in time: queries of a frame see the keys of that frame and of earlier ones.
 *
 * Source   causal cross-attention masks: Video-CCAM, arXiv:2408.14023 §3.2
 */
export function frames({ queries, keys }: FramesOptions): Mask {
  wholeNumber("frames", "queries", queries);
  wholeNumber("frames", "keys", keys);
  return {
    name: `frames of ${queries} queries and ${keys} keys`,
    sees: (query, key) => Math.floor(key / keys) <= Math.floor(query / queries),
  };
}
