import { OptionError } from "../../tensor/index.js";
import type { Mask } from "../mask.js";

/**
 * Tokens of the same group only: documents packed into one sequence, labelled regions of an image, modalities.
 *
 * Throws   OptionError on a position without an id, when the mask is asked about it
 * Source   packed documents arXiv:2402.13991; regions: RAT, arXiv:2404.08001 §3
 */
export function documents(ids: readonly number[]): Mask {
  const idOf = (position: number): number => {
    const id = ids[position];
    if (id === undefined) throw new OptionError(`documents: no id for position ${position}, got ${ids.length} ids`);
    return id;
  };
  return { name: "documents", sees: (query, key) => idOf(query) === idOf(key) };
}
