import { wholeNumber } from "../../tensor/index.js";
import type { Mask } from "../mask.js";

/**
 * Every `step`-th key back from the query, `count` of them, the query's own included.
 *
 * Source   dilated sliding windows, arXiv:2004.05150 §3.1
 */
export function dilated({ count, step }: { readonly count: number; readonly step: number }): Mask {
  wholeNumber("dilated", "count", count);
  wholeNumber("dilated", "step", step);
  return {
    name: `${count} keys, every ${step}`,
    sees: (query, key) => key <= query && (query - key) % step === 0 && query - key < count * step,
  };
}
