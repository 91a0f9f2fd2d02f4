/** A column of a table that shows and exports itself. */
export interface Column<Row> {
  readonly name: string;
  readonly of: (row: Row) => string | number;
}

/** At most 4 significant digits; what is not a number is a dash. */
function shown(value: string | number): string {
  if (typeof value === "string") return value;
  return Number.isNaN(value) ? "–" : String(Number(value.toPrecision(4)));
}

function cells<Row>(rows: readonly Row[], columns: readonly Column<Row>[]): string[][] {
  return rows.map((row) => columns.map(({ of }) => shown(of(row))));
}

/** Text for HTML. */
export const escapeHtml = (text: string): string =>
  text.replace(/[&<>"]/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[c] ?? c);

export function htmlTable<Row>(rows: readonly Row[], columns: readonly Column<Row>[]): string {
  const line = (tag: "td" | "th", texts: readonly string[]): string =>
    `<tr>${texts.map((text) => `<${tag}>${escapeHtml(text)}</${tag}>`).join("")}</tr>`;
  const head = line("th", columns.map(({ name }) => name)); // prettier-ignore
  const body = cells(rows, columns).map((texts) => line("td", texts));
  return `<table><thead>${head}</thead><tbody>${body.join("")}</tbody></table>`;
}

export function textTable<Row>(rows: readonly Row[], columns: readonly Column<Row>[]): string {
  const lines = [columns.map(({ name }) => name), ...cells(rows, columns)];
  const widths = columns.map((_, at) => Math.max(...lines.map((line) => line[at].length)));
  return lines.map((line) => line.map((text, at) => text.padStart(widths[at])).join("  ")).join("\n");
}

/** Full precision; texts quoted where they need it (RFC 4180). */
export function csvTable<Row>(rows: readonly Row[], columns: readonly Column<Row>[]): string {
  const quoted = (value: string | number): string => {
    const text = typeof value === "number" && Number.isNaN(value) ? "" : String(value);
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  const lines = [columns.map(({ name }) => name), ...rows.map((row) => columns.map(({ of }) => of(row)))];
  return lines.map((line) => line.map(quoted).join(",") + "\r\n").join("");
}

export function markdownTable<Row>(rows: readonly Row[], columns: readonly Column<Row>[]): string {
  const line = (texts: readonly string[]): string =>
    `| ${texts.map((text) => text.replaceAll("|", "\\|")).join(" | ")} |`;
  const names = columns.map(({ name }) => name);
  return [line(names), line(names.map(() => "---:")), ...cells(rows, columns).map(line)].join("\n") + "\n";
}

/** For the LaTeX package booktabs. */
export function latexTable<Row>(rows: readonly Row[], columns: readonly Column<Row>[]): string {
  const escaped = (text: string): string => text.replace(/[&%$#_{}]/g, "\\$&").replaceAll("–", "--");
  const line = (texts: readonly string[]): string => `${texts.map(escaped).join(" & ")} \\\\`;
  return [
    `\\begin{tabular}{${"r".repeat(columns.length)}}`,
    "\\toprule",
    line(columns.map(({ name }) => name)),
    "\\midrule",
    ...cells(rows, columns).map(line),
    "\\bottomrule",
    "\\end{tabular}",
    "",
  ].join("\n");
}
