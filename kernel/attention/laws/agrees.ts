import { evaluate } from "../../graph/index.js";
import { product } from "../reference.js";
import type { Mechanism } from "../mechanism.js";
import type { Case, CaseOptions } from "./case.js";
import { caseOf, expected } from "./case.js";
import { apart, type Law } from "./law.js";

/** Every way in which the mechanism may be asked what a query sees. */
export function waysOf({ promises }: Mechanism): readonly CaseOptions["sees"][] {
  return promises.sees === "mask" ? ["all", "causal", "some"] : [promises.sees];
}

/** pattern · v of a case, flat. */
function mixedValues(pattern: ArrayLike<number>, { feeds, sizes }: Case): number[] {
  const { heads, valueHeads, valueDim } = sizes;
  const [queries, keys] = [sizes.queries as number, sizes.keys as number];
  const values = feeds["v"].numbers();
  const cut = (from: ArrayLike<number>, start: number, rows: number, width: number): number[][] =>
    Array.from({ length: rows }, (_, r) => Array.from({ length: width }, (__, c) => from[start + r * width + c]));
  return Array.from({ length: (sizes.batch as number) * heads }, (_, at) => {
    const group = Math.floor(at / heads) * valueHeads + Math.floor(((at % heads) * valueHeads) / heads);
    const [weights, rows] = [
      cut(pattern, at * queries * keys, queries, keys),
      cut(values, group * keys * valueDim, keys, valueDim),
    ];
    return product(weights, rows).flat();
  }).flat();
}

/** The graph gives what the reference says, and z is the pattern times the values. Also beyond the length of a chunk. */
export const agrees: Law = {
  name: "the graph agrees with the reference, and z = pattern · v",
  check: (unit) => {
    const cases = waysOf(unit).map((sees) => caseOf(unit, { sees }));
    // What is computed in chunks is asked beyond one; cubic mechanisms and pictures have none.
    const long =
      unit.askedOn || unit.cost?.time.startsWith("T³")
        ? []
        : [caseOf(unit, { sees: waysOf(unit).at(-1)!, length: 70, small: true })];
    for (const given of [...cases, ...long]) {
      const { z, pattern } = unit.attend(given.call);
      const got = evaluate({ z, pattern }, given.feeds);
      const wanted = expected(unit, given);
      const wrong =
        (wanted && apart("the pattern", got["pattern"].data, wanted.pattern, 1e-9)) ??
        (wanted && apart("z", got["z"].data, wanted.z, 1e-9)) ??
        (unit.promises.mixesValues
          ? apart("z, from pattern · v,", got["z"].data, mixedValues(got["pattern"].data, given), 1e-9)
          : undefined) ??
        (got["z"].data.every(Number.isFinite) ? undefined : "z is not finite");
      if (wrong !== undefined) return wrong;
    }
    return undefined;
  },
};
