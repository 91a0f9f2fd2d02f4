import type { Mechanism } from "../mechanism.js";
import { agrees } from "./agrees.js";
import { causal } from "./causal.js";
import { differentiates } from "./differentiates.js";
import { notAsked, variantsOf, type Law } from "./law.js";
import { limits } from "./limits.js";
import { rows } from "./rows.js";
import { streams } from "./streams.js";

/** A law asked under every set of options that the mechanism names. */
function underEveryOption({ name, check }: Law): Law {
  return {
    name,
    check: (unit) => {
      const variants = variantsOf(unit);
      for (const [at, variant] of variants.entries()) {
        const found = check(variant);
        if (found === notAsked) return notAsked;
        if (found !== undefined) return at === 0 ? found : `${found}, with ${JSON.stringify(unit.alsoAsked?.[at - 1])}`;
      }
      return undefined;
    },
  };
}

/** Every law, in the order in which a mechanism is asked. */
export const laws: readonly Law[] = [
  ...[agrees, rows, causal, differentiates].map(underEveryOption),
  limits,
  underEveryOption(streams),
];

export interface LawResult {
  readonly law: string;
  readonly result: "holds" | "fails" | "not asked";
  /** What is wrong, with the figure. */
  readonly why?: string;
}

/**
 * Holds a mechanism to every law, on small random inputs in float64: a second or two.
 *
 * Example  lawsOf(mine)
 */
export function lawsOf(unit: Mechanism): readonly LawResult[] {
  return laws.map(({ name, check }) => {
    const found = check(unit);
    if (found === undefined) return { law: name, result: "holds" };
    return found === notAsked ? { law: name, result: notAsked } : { law: name, result: "fails", why: found };
  });
}
