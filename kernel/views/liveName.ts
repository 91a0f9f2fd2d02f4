import type { Check } from "./check.js";
import { headGridCaps } from "./headGridPayload.js";

/** Checks the name of a run where a payload has one; figures that name the same run share what is chosen. */
export function readLiveName(check: Check, payload: Readonly<Record<string, unknown>>): void {
  if (payload["live"] === undefined) return;
  const live = check.record(payload["live"], "live");
  check.text(live["run"], "live.run", headGridCaps.nameLength);
  check.text(live["stack"], "live.stack", headGridCaps.nameLength);
}
