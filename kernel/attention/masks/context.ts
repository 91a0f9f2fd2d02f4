import { wholeNumber } from "../../tensor/index.js";
import type { Mask } from "../mask.js";

/**
 * Keys that never ask, before a text: query i of the text sees the whole context and the text up to itself.
 *
 * Range    length 0 is causal; keys are context and text, queries the text alone
 * Source   attention without queries of visual tokens: SAISA (NAAViT), arXiv:2502.02458 §3
 */
export function context({ length }: { readonly length: number }): Mask {
  wholeNumber("context", "length", length, 0);
  return { name: `context of ${length}`, sees: (query, key) => key <= query + length };
}
