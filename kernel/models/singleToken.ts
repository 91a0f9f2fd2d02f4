import { OptionError, UnsupportedError } from "../tensor/index.js";
import type { Tokenizer } from "./tokenizer.js";

/**
 * The id of a text that is one token, special tokens aside.
 *
 * Throws   OptionError when it is several; UnsupportedError without a tokenizer
 */
export function singleToken(tokenizer: Tokenizer | undefined, text: string): number {
  if (!tokenizer) throw new UnsupportedError(`token ${JSON.stringify(text)}: this model has no tokenizer; pass its id`);
  const ids = idsOf(tokenizer, text);
  if (ids.length === 1) return ids[0];
  const parts = ids.map((id) => JSON.stringify(tokenizer.label(id))).join(", ");
  throw new OptionError(`token ${JSON.stringify(text)}: must be one token, got ${ids.length}${parts && `: ${parts}`}`);
}

/** The ids of a text without the special tokens that the tokenizer puts around every text. */
export function idsOf(tokenizer: Pick<Tokenizer, "encode">, text: string): readonly number[] {
  const [frame, ids] = ["", text].map((each) => tokenizer.encode(each).ids);
  let before = 0;
  while (before < frame.length && frame[before] === ids[before]) before++;
  return ids.slice(before, ids.length - (frame.length - before));
}
