import { wholeNumber } from "../../tensor/index.js";
import type { Mask } from "../mask.js";

/**
 * The last `length` keys, the query's own included; with `sinks`, the first keys of the text too.
 *
 * Source   sliding windows arXiv:2004.05150 §3.1; first keys and window: StreamingLLM, arXiv:2309.17453 §3.2
 */
export function window({ length, sinks = 0 }: { readonly length: number; readonly sinks?: number }): Mask {
  wholeNumber("window", "length", length);
  wholeNumber("window", "sinks", sinks, 0);
  return {
    name: sinks === 0 ? `window of ${length}` : `window of ${length} and ${sinks} first keys`,
    sees: (query, key) => key <= query && (key > query - length || key < sinks),
  };
}
