import { parseCell } from "./parseCell.js";

/** The answer to `is_complete_request`; `indent` is what the next line begins with. */
export type Completeness =
  { readonly status: "complete" | "invalid" | "unknown" } | { readonly status: "incomplete"; readonly indent: string };

// Unterminated comment and template literal: the next line is text, so it begins at the margin.
const insideText = new Set([1010, 1160]);
// Unterminated string and regular expression: no further line can mend them.
const neverMended = new Set([1002, 1161]);

/**
 * Whether a cell can run as it stands: "incomplete" when only more text can mend it, "invalid" when no text can.
 *
 * Range    never "unknown": the parser always decides
 */
export function completeness(source: string): Completeness {
  const [first] = [...parseCell(source).errors].sort((a, b) => a.start - b.start);
  if (first === undefined) return { status: "complete" };
  if (insideText.has(first.code)) return { status: "incomplete", indent: "" };
  if (neverMended.has(first.code) || first.start < source.trimEnd().length) return { status: "invalid" };
  return { status: "incomplete", indent: nextIndent(source) };
}

/** The last line's indent, two columns deeper after an opening bracket or an arrow. */
function nextIndent(source: string): string {
  const last = source.trimEnd().split("\n").at(-1) ?? "";
  const indent = /^\s*/.exec(last)?.[0] ?? "";
  return /(?:[{([]|=>)$/.test(last) ? `${indent}  ` : indent;
}
