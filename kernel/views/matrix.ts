import { checkOptions } from "../tensor/errors.js";
import { clip, headingCaps, rounded, type Provenance } from "./heading.js";
import { matrixCaps, matrixVersion, type MatrixAxis, type MatrixPayload } from "./matrixPayload.js";
import { PayloadError } from "./payloadError.js";

export { matrixMime, type MatrixAxis, type MatrixPayload } from "./matrixPayload.js";
export { matrixText } from "./matrixText.js";
export { readMatrix } from "./readMatrix.js";

/** What stands around the numbers. */
export interface MatrixOptions {
  readonly title: string;
  /** What a number is. */
  readonly measure: string;
  /** `"diverging"`: differences, about 0; `"sequential"`: amounts, from 0. */
  readonly kind: "diverging" | "sequential";
  readonly rows: MatrixAxis;
  readonly columns: MatrixAxis;
  readonly notes?: readonly string[];
  readonly provenance?: Provenance;
}

/** Cells of which the numbers fit into a megabyte. */
const mostCells = 80_000;

/**
 * The payload of a matrix; what is not finite has no value.
 *
 * Shapes   values [rows][columns]
 * Range    6 significant digits; at most 80 000 cells
 * Throws   PayloadError where values and labels differ in number, an amount is negative, or there are too many cells
 * Example  matrix(recovery, { title, measure: "share recovered", kind: "diverging", rows: layers, columns: heads })
 */
export function matrix(values: readonly ArrayLike<number>[], options: MatrixOptions): MatrixPayload {
  checkOptions("matrix", options, ["title", "measure", "kind", "rows", "columns", "notes", "provenance"]);
  const { title, measure, kind, rows, columns, notes = [], provenance = {} } = options;
  const [height, width] = [rows.labels.length, columns.labels.length];
  const odd = values.findIndex((row) => row.length !== width);
  if (values.length !== height || odd >= 0 || height < 1 || width < 1) {
    const found = odd >= 0 ? `${values[odd].length} values in row ${odd}` : `${values.length} rows`;
    throw new PayloadError(`matrix: expected ${height} × ${width} values, as many as labels, got ${found}`);
  }
  if (height * width > mostCells) {
    throw new PayloadError(`matrix: expected at most ${mostCells} cells, got ${height} × ${width}`);
  }
  const flat = values.flatMap((row) => Array.from(row, rounded));
  const negative = flat.find((value) => value !== null && value < 0);
  if (kind === "sequential" && negative !== undefined) {
    throw new PayloadError(`matrix: expected amounts ≥ 0, got ${negative}; differences are of kind "diverging"`);
  }
  const axis = ({ name, labels }: MatrixAxis): MatrixAxis => ({
    name: clip(name, matrixCaps.labelLength),
    labels: labels.map((label) => clip(label, matrixCaps.labelLength)),
  });
  return {
    view: "matrix",
    version: matrixVersion,
    title: clip(title, headingCaps.titleLength),
    measure: clip(measure, matrixCaps.measureLength),
    kind,
    rows: axis(rows),
    columns: axis(columns),
    values: flat,
    notes: notes.slice(0, headingCaps.notes).map((note) => clip(note, headingCaps.textLength)),
    provenance,
  };
}
