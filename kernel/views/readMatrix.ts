import { type Check, checksOf } from "./check.js";
import { headingCaps, readHeading } from "./heading.js";
import { matrixCaps, matrixVersion, type MatrixPayload } from "./matrixPayload.js";

const check: Check = checksOf("matrix");

/**
 * Checks an unknown value as a payload of a matrix and returns it, typed.
 *
 * Throws   PayloadError with a reason a reader can act on
 */
export function readMatrix(value: unknown): MatrixPayload {
  const payload = readHeading(check, value, "matrix", matrixVersion);
  const caps = matrixCaps;
  check.text(payload["measure"], "measure", caps.measureLength);
  const kind = check.oneOf(payload["kind"], "kind", ["diverging", "sequential"]);
  const [rows, columns] = ["rows", "columns"].map((side) => {
    const { name, labels } = check.record(payload[side], side);
    check.text(name, `${side}.name`, caps.labelLength);
    return check.texts(labels, `${side}.labels`, 1, caps.side, caps.labelLength).length;
  });
  const cells = rows * columns;
  if (cells > caps.cells) check.fail("rows × columns", `at most ${caps.cells}`, cells);
  check.numbers(payload["values"], "values", cells, { gaps: true });
  const negative = (payload["values"] as readonly (number | null)[]).find((number) => number !== null && number < 0);
  if (kind === "sequential" && negative !== undefined) check.fail("values", "numbers ≥ 0 or null", negative);
  check.texts(payload["notes"], "notes", 0, headingCaps.notes, headingCaps.textLength);
  return value as MatrixPayload;
}
