import { element } from "../dom/element.js";
import type { Words } from "../words.js";
import { ownKeys } from "./shortcuts.js";

/** A table with a caption and headings. */
export function tableOf(
  caption: string,
  headings: readonly string[],
  rows: readonly HTMLTableRowElement[],
): HTMLTableElement {
  return element(
    "table",
    {},
    element("caption", {}, caption),
    element("thead", {}, element("tr", {}, ...headings.map((heading) => element("th", { scope: "col" }, heading)))),
    element("tbody", {}, ...rows),
  );
}

/** A region that scrolls, by keys too, around a table. */
export function tableRegion(table: HTMLTableElement, words: Words): HTMLElement {
  return ownKeys(
    element("div", { class: "jp-AttentionTable", tabindex: 0, role: "region", "aria-label": words.__("Table") }, table),
  );
}
