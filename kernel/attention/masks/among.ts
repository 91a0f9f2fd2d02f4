import { OptionError } from "../../tensor/index.js";
import type { Mask } from "../mask.js";

export interface AmongOptions {
  /** The tokens, from 0. */
  readonly tokens: readonly number[];
}

/**
 * Chosen tokens see each other, and nobody else sees anything: the further attention among meta tokens.
 *
 * Throws   OptionError on positions that are no whole numbers of at least 0
 * Source   Language Modeling with Learned Meta-Tokens, arXiv:2509.16278 §2 (with `and(…, causal())`)
 */
export function among({ tokens }: AmongOptions): Mask {
  const wrong = tokens.find((token) => !Number.isSafeInteger(token) || token < 0);
  if (wrong !== undefined)
    throw new OptionError(`among: tokens must be whole numbers of at least 0, got ${String(wrong)}`);
  const chosen = new Set(tokens);
  return { name: `among ${chosen.size} tokens`, sees: (query, key) => chosen.has(query) && chosen.has(key) };
}
