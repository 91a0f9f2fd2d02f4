const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Text for HTML, in an element or an attribute. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => entities[character] ?? character);
}

/** A table of escaped texts; `"number"` columns are set to the right. */
export function htmlTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  columns: readonly ("number" | "text")[],
): string {
  const side = (at: number): string => `style="text-align: ${columns[at] === "number" ? "right" : "left"}"`;
  const line = (tag: "td" | "th", cells: readonly string[]): string =>
    `<tr>${cells.map((cell, at) => `<${tag} ${side(at)}>${escapeHtml(cell)}</${tag}>`).join("")}</tr>`;
  return `<table><thead>${line("th", head)}</thead><tbody>${rows.map((row) => line("td", row)).join("")}</tbody></table>`;
}

/** Secondary text: as grey as the theme has it. */
export function quiet(text: string): string {
  return `<span style="color: var(--jp-ui-font-color2)">${escapeHtml(text)}</span>`;
}
