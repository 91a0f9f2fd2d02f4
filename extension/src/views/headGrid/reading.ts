import type { Words } from "../../words.js";
import { element, tokenElement } from "../../dom/element.js";
import type { HeadAddress, SquareReading } from "./model.js";
import { headName } from "./state.js";

/** What is known about the number, beside it: its rank, or why it is not exact. */
export function readingNote(reading: SquareReading, words: Words): string {
  const { weight, rank, visible, block, largestOf, row, column } = reading;
  if (weight === undefined) return words.__("masked: the key comes after the query");
  if (block > 1) return words.__("largest of %1 × %1 weights", block);
  const approximate = weight.startsWith("≈") ? words.__(" (8 bits)") : "";
  return [
    words.__("rank %1 of %2 in its row", rank ?? 1, visible) + approximate,
    words.__("positions %1 ← %2", row, column),
    ...(largestOf > 1 ? [words.__("largest of %1 × %1 weights", largestOf)] : []),
  ].join(" · ");
}

/** The read-out as one line of plain text, for the live region. */
export function readingText(reading: SquareReading, address: HeadAddress, words: Words): string {
  const { query, key, weight } = reading;
  const tokens = words.__('query "%1" ← key "%2"', query, key);
  return [headName(address), tokens, weight, readingNote(reading, words)].filter(Boolean).join("  ");
}

/** The read-out as elements: tokens stay data, isolated from the text around them. */
export function readingNodes(reading: SquareReading, address: HeadAddress, words: Words): readonly Node[] {
  const { query, key, weight } = reading;
  return [
    element("span", { class: "jp-AttentionReading-head" }, headName(address)),
    element(
      "span",
      { class: "jp-AttentionReading-tokens" },
      element("span", { class: "jp-AttentionReading-word" }, words.__("query")),
      " ",
      ...quoted(query),
      " ← ",
      element("span", { class: "jp-AttentionReading-word" }, words.__("key")),
      " ",
      ...quoted(key),
    ),
    ...(weight === undefined ? [] : [element("span", { class: "jp-AttentionReading-weight" }, weight)]),
    element("span", { class: "jp-AttentionReading-note" }, readingNote(reading, words)),
  ];
}

function quoted(token: string): readonly (Node | string)[] {
  return ['"', tokenElement(token, "jp-AttentionReading-token"), '"'];
}
