import { OptionError, wholeNumber } from "../../tensor/index.js";
import type { Mask } from "../mask.js";

export interface KeywordsOptions {
  /** First token of the subject's picture, and how many it has. */
  readonly subject: number;
  readonly count: number;
  /** Tokens that name the subject or belong to where it appears. */
  readonly keywords: readonly number[];
}

/**
 * A subject that only its keywords know: its tokens and all others see each other only if the other is a keyword. Pairs
 * within the subject, and pairs without it, are shown.
 *
 * Source   keyword-scoped attention: "Rethinking Multi-Condition DiTs", the paper's second mask
 */
export function keywords({ subject, count, keywords: named }: KeywordsOptions): Mask {
  wholeNumber("keywords", "subject", subject, 0);
  wholeNumber("keywords", "count", count);
  const isSubject = (token: number): boolean => token >= subject && token < subject + count;
  const own = named.find(isSubject);
  if (own !== undefined) throw new OptionError(`keywords: ${own} is a token of the subject, not a keyword`);
  const known = new Set(named);
  return {
    name: `keywords ${named.join(", ")} of ${count} from ${subject}`,
    sees: (query, key) => isSubject(query) === isSubject(key) || known.has(isSubject(query) ? key : query),
  };
}
