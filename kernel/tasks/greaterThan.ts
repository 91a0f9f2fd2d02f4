import { checkOptions, OptionError, random, wholeNumber } from "../tensor/index.js";
import { isToken, type TokenNames } from "./parts/tokens.js";

export interface GreaterThanOptions {
  /** Default 16. */
  readonly count?: number;
  /** Default 0. */
  readonly seed?: number;
}

export interface GreaterThanTask {
  readonly prompts: readonly string[];
  /** The years as two digits, 02 … 98; what may follow is anything above. */
  readonly years: readonly number[];
  /** The prompts with the year 01, after which nearly everything may follow. */
  readonly corrupted: readonly string[];
  /** By prompt: the two-digit tokens that are right, and those that are not. */
  readonly answers: readonly (readonly string[])[];
  readonly others: readonly (readonly string[])[];
}

const nouns = ["war", "journey", "siege", "project", "dispute", "voyage", "reform", "drought"];
const twoDigits = Array.from({ length: 100 }, (_, year) => String(year).padStart(2, "0"));

/**
 * Years that must be greater than one that was named.
 *
 *   prompt     The siege lasted from the year 1743 to the year 17
 *   corrupted  The siege lasted from the year 1701 to the year 17
 *   answers    44 … 99    others  00 … 43
 *
 * Throws   OptionError where the model does not write two digits as one token
 * Source   arXiv:2305.00586 §2; the sentences are this project's own
 */
export function greaterThan(model: TokenNames, options: GreaterThanOptions = {}): GreaterThanTask {
  checkOptions("greaterThan", options, ["count", "seed"]);
  const { count = 16, seed = 0 } = options;
  wholeNumber("greaterThan", "count", count);
  const missing = twoDigits.filter((year) => !isToken(model, year));
  if (missing.length > 0) {
    throw new OptionError(
      `greaterThan: every two digits must be one token; ${missing.length} are not, such as ${missing[0]}`,
    );
  }
  const years = Array.from(random(seed).fork("greaterThan").integers([count], { low: 2, high: 99 }).data, Number);
  const prompt = (year: number, i: number): string => {
    const noun = nouns[random(seed).fork("noun").fork(i).permutation(nouns.length).item(0)];
    return `The ${noun} lasted from the year 17${twoDigits[year]} to the year 17`;
  };
  return {
    prompts: years.map(prompt),
    years,
    corrupted: years.map((_, i) => prompt(1, i)),
    answers: years.map((year) => twoDigits.slice(year + 1)),
    others: years.map((year) => twoDigits.slice(0, year + 1)),
  };
}
