/** The line of a source at `place` (counted from 1) with the one before it, and a caret under the column. */
export function excerpt(source: string, place: { readonly line: number; readonly column: number }): readonly string[] {
  const lines = source.split(/\r?\n/);
  const width = String(place.line).length;
  const numbered = (number: number): string => `${String(number).padStart(width)} | ${lines[number - 1] ?? ""}`;
  if (place.line > lines.length) return [];
  const before = place.line > 1 && lines[place.line - 2]?.trim() !== "" ? [`  ${numbered(place.line - 1)}`] : [];
  // Tabs stay tabs, so that the caret stands under its character at any tab width.
  const indent = (lines[place.line - 1] ?? "").slice(0, place.column - 1).replace(/[^\t]/g, " ");
  return ["", ...before, `> ${numbered(place.line)}`, `  ${" ".repeat(width)} | ${indent}^`];
}
