import { types } from "node:util";
import { htmlTable } from "./html.js";
import { numberText } from "./numberText.js";
import type { Kind } from "./representation.js";

/** So many numbers in a row read best as they are. */
const fewNumbers = 8;
/** Where `util.inspect` begins to leave values out, the summary takes the place of its text. */
const inspectedNumbers = 100;
const edge = 4;

type Numbers = ArrayLike<number | bigint>;

interface Matrix {
  readonly shape: readonly number[];
  readonly dtype: string;
  readonly rows: readonly Numbers[];
}

/**
 * Arrays of numbers, typed arrays, and arrays of equally long such arrays: their shape, range and outermost values.
 *
 * Range    min, mean and max leave NaN out, and count it
 */
export const numbers: Kind = {
  represent(value, textOf) {
    const matrix = asMatrix(value);
    if (!matrix) return undefined;
    const { shape, dtype, rows } = matrix;
    const size = shape.reduce((product, length) => product * length, 1);
    if (size === 0 || (shape.length === 1 && size <= fewNumbers)) return undefined;
    const { min, mean, max, nan } = statistics(rows, size);
    const facts: readonly (readonly [string, string])[] = [
      ["shape", `[${shape.join(", ")}]`],
      ["dtype", dtype],
      ["min", numberText(min)],
      ["mean", numberText(mean)],
      ["max", numberText(max)],
      ...(nan > 0 ? ([["NaN", String(nan)]] as const) : []),
    ];
    const columns = outermost(rows[0]?.length ?? 0);
    const head = columns.map((at) => (at === undefined ? "…" : String(at)));
    const shown = outermost(rows.length).map((at) => (at === undefined ? undefined : { at, row: rows[at] ?? [] }));
    const cells = shown.map((each) => columns.map((at) => (each && at !== undefined ? entry(each.row[at]) : "…")));
    const summary = htmlTable(
      facts.map(([name]) => name),
      [facts.map(([, text]) => text)],
      facts.map(() => "number"),
    );
    const indexed = shape.length === 2 ? cells.map((row, at) => [String(shown[at]?.at ?? "…"), ...row]) : cells;
    const values = htmlTable(
      shape.length === 2 ? ["", ...head] : head,
      indexed,
      ["", ...head].map(() => "number"),
    );
    const lines = cells.map((row) => `[${row.join(", ")}]`);
    const text = `${dtype}[${shape.join(", ")}]  ${facts
      .slice(2)
      .map((fact) => fact.join(" "))
      .join("  ")}\n${lines.join("\n")}`;
    return { "text/html": summary + values, "text/plain": size > inspectedNumbers ? text : textOf(value) };
  },
};

function asMatrix(value: unknown): Matrix | undefined {
  const row = asNumbers(value);
  if (row) return { shape: [row.length], dtype: dtypeOf(row), rows: [row] };
  if (!Array.isArray(value) || types.isProxy(value)) return undefined;
  const rows: Numbers[] = [];
  for (const each of value) {
    const numeric = asNumbers(each);
    if (!numeric || numeric.length !== (rows[0] ?? numeric).length) return undefined;
    rows.push(numeric);
  }
  const [first] = rows;
  if (!first) return undefined;
  const dtypes = new Set(rows.map(dtypeOf));
  return { shape: [rows.length, first.length], dtype: dtypes.size === 1 ? dtypeOf(first) : "mixed", rows };
}

function asNumbers(value: unknown): Numbers | undefined {
  if (types.isTypedArray(value)) return value;
  if (!Array.isArray(value) || types.isProxy(value) || value.length === 0) return undefined;
  for (let i = 0; i < value.length; i++) if (typeof value[i] !== "number") return undefined;
  return value as readonly number[];
}

/** `float32` for a Float32Array, `number` for an ordinary array. */
function dtypeOf(row: Numbers): string {
  const name = Object.prototype.toString.call(row).slice("[object ".length, -1);
  return name === "Array" ? "number" : name.replace("Array", "").toLowerCase();
}

interface Statistics {
  readonly min: number;
  readonly mean: number;
  readonly max: number;
  readonly nan: number;
}

function statistics(rows: readonly Numbers[], size: number): Statistics {
  let [min, max, sum, nan] = [Infinity, -Infinity, 0, 0];
  for (const row of rows) {
    for (let i = 0; i < row.length; i++) {
      const x = Number(row[i]);
      if (Number.isNaN(x)) {
        nan++;
        continue;
      }
      sum += x;
      if (x < min) min = x;
      if (x > max) max = x;
    }
  }
  return nan === size ? { min: NaN, mean: NaN, max: NaN, nan } : { min, mean: sum / (size - nan), max, nan };
}

/** The first and last positions of an axis; undefined stands for those between. */
function outermost(length: number): readonly (number | undefined)[] {
  const all = (count: number, from: number): number[] => Array.from({ length: count }, (_, i) => from + i);
  return length <= 2 * edge + 2 ? all(length, 0) : [...all(edge, 0), undefined, ...all(edge, length - edge)];
}

function entry(x: number | bigint | undefined): string {
  return typeof x === "bigint" ? String(x) : numberText(x ?? NaN);
}
