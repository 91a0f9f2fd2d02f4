import { provenanceText } from "./heading.js";
import type { TokenStripPayload } from "./tokenStripPayload.js";
import { visibleToken } from "./visibleToken.js";

const shownTokens = 24;
const shownValues = 5;

/**
 * A summary of several lines: the text, what the numbers are, the largest of them.
 *
 * Example
 *   gpt2 · layer 5, head 1 · attention received, mean over queries
 *     7 tokens: The cat sat on the mat .
 *     largest: 0 "The" 0.61 · 2 "sat" 0.12
 */
export function tokenStripText(payload: TokenStripPayload): string {
  const { title, measure, tokens, values, attention, notes } = payload;
  const known = values.flatMap((value, at) => (value === null ? [] : [{ value, at }]));
  const order = [...known].sort((a, b) => Math.abs(b.value) - Math.abs(a.value)).slice(0, shownValues);
  const largest = order.map(
    ({ value, at }) => `${at} ${JSON.stringify(visibleToken(tokens[at]))} ${Number(value.toPrecision(3))}`,
  );
  const text = tokens.slice(0, shownTokens).map(visibleToken).join(" ");
  const size = `${tokens.length} ${tokens.length === 1 ? "token" : "tokens"}`;
  return [
    [title, ...(attention ? [attention.caption] : []), measure].join(" · "),
    `  ${size}: ${text}${tokens.length > shownTokens ? " …" : ""}`,
    known.length > 0 ? `  largest: ${largest.join(" · ")}` : "  no value is finite",
    ...notes,
    ...provenanceText(payload),
  ].join("\n");
}
