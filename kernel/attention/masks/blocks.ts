import { wholeNumber } from "../../tensor/index.js";
import type { Mask } from "../mask.js";

/**
 * Blocks of neighbouring tokens; with a halo, the tokens around the block too.
 *
 * Source   blocks arXiv:1802.05751 §3; halo: HaloNet, arXiv:2103.12731 §2.2, in one dimension, padding hidden
 */
export function blocks({ length, halo = 0 }: { readonly length: number; readonly halo?: number }): Mask {
  wholeNumber("blocks", "length", length);
  wholeNumber("blocks", "halo", halo, 0);
  return {
    name: `blocks of ${length}${halo === 0 ? "" : ` with a halo of ${halo}`}`,
    sees: (query, key) => {
      const first = Math.floor(query / length) * length;
      return key >= first - halo && key < first + length + halo;
    },
  };
}
