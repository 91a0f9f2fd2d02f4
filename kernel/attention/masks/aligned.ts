import { wholeNumber } from "../../tensor/index.js";
import type { Mask } from "../mask.js";

export interface AlignedOptions {
  /** Where the patches of the picture begin, and where those of the condition. */
  readonly patches: number;
  readonly condition: number;
  /** How many of each there are. */
  readonly count: number;
}

/**
 * A picture and a condition laid over it, such as edges or depth: a patch and a token of the condition see each other only
 * at the same place. Every other pair is shown.
 *
 * Source   position-aligned attention: "Rethinking Multi-Condition DiTs", the paper's first mask
 */
export function aligned({ patches, condition, count }: AlignedOptions): Mask {
  wholeNumber("aligned", "patches", patches, 0);
  wholeNumber("aligned", "condition", condition, 0);
  wholeNumber("aligned", "count", count);
  const place = (token: number, first: number): number | undefined =>
    token >= first && token < first + count ? token - first : undefined;
  const hidden = (patch: number, token: number): boolean => {
    const [a, b] = [place(patch, patches), place(token, condition)];
    return a !== undefined && b !== undefined && a !== b;
  };
  return {
    name: `aligned ${count} from ${patches} and ${condition}`,
    sees: (query, key) => !hidden(query, key) && !hidden(key, query),
  };
}
