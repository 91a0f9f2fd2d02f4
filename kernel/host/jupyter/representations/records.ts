import { inspect, types } from "node:util";
import { htmlTable, quiet } from "./html.js";
import { numberText } from "./numberText.js";
import { isPlainObject } from "./plainObject.js";
import type { Kind } from "./representation.js";

const [firstRows, lastRows] = [20, 5];
const shownColumns = 24;
const cellCharacters = 80;

type Row = readonly unknown[];

/**
 * Arrays of plain objects with the same keys, as a table.
 *
 * Range    at most 25 rows and 24 columns; the rows that are left out are not looked at
 */
export const records: Kind = {
  represent(value) {
    if (!Array.isArray(value) || types.isProxy(value) || value.length === 0) return undefined;
    const cut = value.length > firstRows + lastRows;
    const shown: readonly unknown[] = cut ? [...value.slice(0, firstRows), ...value.slice(-lastRows)] : value;
    const [first] = shown;
    if (!isPlainObject(first)) return undefined;
    const keys = Object.keys(first);
    if (keys.length === 0) return undefined;
    const rows: Row[] = [];
    for (const record of shown) {
      const row = rowOf(record, keys);
      if (!row) return undefined;
      rows.push(row.slice(0, shownColumns));
    }
    const columns = keys.slice(0, shownColumns).map((_, at) => columnKind(rows, at));
    const head = ["", ...keys.slice(0, shownColumns).map(oneLine)];
    const indexOf = (at: number): number => (cut && at >= firstRows ? value.length - rows.length + at : at);
    const body = rows.map((row, at) => [String(indexOf(at)), ...row.map(cellText)]);
    if (cut)
      body.splice(
        firstRows,
        0,
        head.map(() => "…"),
      );
    const kinds = ["number", ...columns] as const;
    const size = `${value.length} rows × ${keys.length} columns`;
    const isWhole = !cut && keys.length <= shownColumns;
    return {
      "text/html": htmlTable(head, body, kinds) + (isWhole ? "" : quiet(size)),
      "text/plain": alignedText([head, ...body], kinds) + (isWhole ? "" : `\n${size}`),
    };
  },
};

/** The values in the order of `keys`; undefined unless the record is plain data with just these keys. */
function rowOf(record: unknown, keys: readonly string[]): Row | undefined {
  if (!isPlainObject(record) || Object.keys(record).length !== keys.length) return undefined;
  const descriptors = keys.map((key) => Object.getOwnPropertyDescriptor(record, key));
  if (!descriptors.every((each) => each !== undefined && "value" in each)) return undefined;
  return descriptors.map((each): unknown => each?.value);
}

function columnKind(rows: readonly Row[], at: number): "number" | "text" {
  return rows.every((row) => row[at] == null || ["number", "bigint"].includes(typeof row[at])) ? "number" : "text";
}

function cellText(value: unknown): string {
  if (value === undefined) return "";
  if (typeof value === "number") return numberText(value, 6);
  const text = typeof value === "string" ? value : inspect(value, { depth: 0, breakLength: Infinity });
  return oneLine(text);
}

function oneLine(text: string): string {
  const line = text.slice(0, 4 * cellCharacters).replace(/\s+/g, " ");
  return line.length > cellCharacters ? `${line.slice(0, cellCharacters - 1)}…` : line;
}

function alignedText(lines: readonly (readonly string[])[], columns: readonly ("number" | "text")[]): string {
  const widths = columns.map((_, at) => Math.max(...lines.map((line) => [...(line[at] ?? "")].length)));
  return lines
    .map((line) =>
      line
        .map((cell, at) => {
          const space = " ".repeat((widths[at] ?? 0) - [...cell].length);
          return columns[at] === "number" ? space + cell : cell + space;
        })
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}
