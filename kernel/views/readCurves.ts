import { type Check, checksOf } from "./check.js";
import { curvesCaps, curvesVersion, type CurvesPayload } from "./curvesPayload.js";
import { headingCaps, readHeading } from "./heading.js";

const check: Check = checksOf("curves");

/**
 * Checks an unknown value as a payload of curves and returns it, typed.
 *
 * Throws   PayloadError with a reason a reader can act on
 */
export function readCurves(value: unknown): CurvesPayload {
  const payload = readHeading(check, value, "curves", curvesVersion);
  const caps = curvesCaps;
  for (const axis of ["x", "y"]) {
    const { label, scale } = check.record(payload[axis], axis);
    check.text(label, `${axis}.label`, caps.labelLength);
    check.oneOf(scale, `${axis}.scale`, ["linear", "log"]);
  }
  check.oneOf(payload["shape"], "shape", ["line", "step"]);
  check.texts(payload["notes"], "notes", 0, headingCaps.notes, headingCaps.textLength);
  let points = 0;
  check.list(payload["curves"], "curves", 1, caps.curves).forEach((entry, index) => {
    const place = `curves[${index}]`;
    const curve = check.record(entry, place);
    check.text(curve["name"], `${place}.name`, caps.nameLength);
    const { length } = check.list(curve["x"], `${place}.x`, 1, caps.points);
    points += length;
    if (points > caps.points) check.fail("curves", `at most ${caps.points} points in all`, points);
    check.numbers(curve["x"], `${place}.x`, length);
    const x = curve["x"] as readonly number[];
    const falls = x.findIndex((at, i) => i > 0 && at < (x[i - 1] ?? at));
    if (falls > 0) check.fail(`${place}.x`, "numbers that do not decrease", x[falls]);
    check.numbers(curve["y"], `${place}.y`, length, { gaps: true });
    if (curve["low"] !== undefined || curve["high"] !== undefined) {
      check.numbers(curve["low"], `${place}.low`, length, { gaps: true });
      check.numbers(curve["high"], `${place}.high`, length, { gaps: true });
    }
    if (curve["points"] !== undefined) check.count(curve["points"], `${place}.points`, length, Number.MAX_SAFE_INTEGER);
  });
  return value as CurvesPayload;
}
