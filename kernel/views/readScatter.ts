import { type Check, checksOf } from "./check.js";
import { headingCaps, readHeading } from "./heading.js";
import { readLiveName } from "./liveName.js";
import { scatterCaps, scatterVersion, type ScatterPayload } from "./scatterPayload.js";

const check: Check = checksOf("scatter");

/**
 * Checks an unknown value as a payload of a scatter and returns it, typed.
 *
 * Throws   PayloadError with a reason a reader can act on
 */
export function readScatter(value: unknown): ScatterPayload {
  const payload = readHeading(check, value, "scatter", scatterVersion);
  const caps = scatterCaps;
  for (const axis of ["x", "y"]) {
    const { label, scale } = check.record(payload[axis], axis);
    check.text(label, `${axis}.label`, caps.labelLength);
    check.oneOf(scale, `${axis}.scale`, ["linear", "log"]);
  }
  const points = check.record(payload["points"], "points");
  const { length } = check.texts(points["labels"], "points.labels", 1, caps.points, caps.labelLength);
  for (const axis of ["x", "y"]) check.numbers(points[axis], `points.${axis}`, length, { gaps: true });
  if (payload["heads"] !== undefined) {
    const heads = check.record(payload["heads"], "heads");
    for (const [name, limit] of [
      ["layer", caps.layers],
      ["head", caps.heads],
    ] as const) {
      // prettier-ignore
      for (const index of check.list(heads[name], `heads.${name}`, length, length)) {
        check.count(index, `heads.${name}`, 0, limit - 1);
      }
    }
  }
  check.texts(payload["notes"], "notes", 0, headingCaps.notes, headingCaps.textLength);
  readLiveName(check, payload);
  return value as ScatterPayload;
}
