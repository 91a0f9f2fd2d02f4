import { meanOf } from "./statistics.js";

/** The metric of one pair at the two ends that a change is measured against. */
export interface Ends {
  readonly from: number;
  readonly to: number;
}

/**
 * Effects as shares of the way between two metrics, means over the pairs.
 *
 *   effect / (to − from)
 *
 * Shapes   effects [pair][row][column] → shares [row][column]
 * Range    pairs whose ends are the same say nothing and are listed; NaN where no pair says anything
 */
export function sharesOf(
  ends: readonly Ends[],
  effects: readonly (readonly (readonly number[])[])[],
): { readonly shares: readonly (readonly number[])[]; readonly undefinedPairs: readonly number[] } {
  const isDefined = ends.map(({ from, to }) => Math.abs(to - from) > 1e-6 * (Math.abs(from) + Math.abs(to)));
  const defined = [...ends.keys()].filter((p) => isDefined[p]);
  const share = (row: number, column: number): number =>
    defined.length === 0 ? NaN : meanOf(defined.map((p) => effects[p][row][column] / (ends[p].to - ends[p].from)));
  return {
    shares: effects[0].map((columns, row) => columns.map((_, column) => share(row, column))),
    undefinedPairs: [...ends.keys()].filter((p) => !isDefined[p]),
  };
}
