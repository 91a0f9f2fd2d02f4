import { wholeNumber } from "../../tensor/index.js";
import type { Mask } from "../mask.js";

/**
 * A prefix whose tokens see each other, then causal: an image or a prompt before generated text.
 *
 * Range    length 0 is causal
 * Source   prefix language models, arXiv:1910.10683 §3.2.1; visual prefix: Croc, arXiv:2410.14332 §3
 */
export function prefix({ length }: { readonly length: number }): Mask {
  wholeNumber("prefix", "length", length, 0);
  return { name: `prefix of ${length}`, sees: (query, key) => key <= query || (query < length && key < length) };
}
