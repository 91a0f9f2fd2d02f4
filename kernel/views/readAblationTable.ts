import {
  ablationMeasures,
  ablationTableCaps,
  ablationTableVersion,
  type AblationTablePayload,
} from "./ablationTablePayload.js";
import { type Check, checksOf } from "./check.js";
import { headingCaps, readHeading } from "./heading.js";

const check: Check = checksOf("ablation table");

/**
 * Checks an unknown value as a payload of an ablation table and returns it, typed.
 *
 * Throws   PayloadError with a reason a reader can act on
 */
export function readAblationTable(value: unknown): AblationTablePayload {
  const payload = readHeading(check, value, "ablation-table", ablationTableVersion);
  const caps = ablationTableCaps;
  check.text(payload["metric"], "metric", caps.nameLength);
  const prompts = check.list(payload["clean"], "clean", 1, caps.prompts).length;
  check.numbers(payload["clean"], "clean", prompts, { gaps: true });
  const modes = check.texts(payload["modes"], "modes", 1, caps.modes, caps.nameLength);
  if (new Set(modes).size < modes.length) check.fail("modes", "different names", modes.join(", "));
  const columns = check.record(payload["columns"], "columns");
  const rows = check.list(columns["layer"], "columns.layer", 1, caps.rows).length;
  const limits = [["layer", caps.layers], ["head", caps.heads], ["mode", modes.length]] as const; // prettier-ignore
  for (const [name, limit] of limits) {
    for (const index of check.list(columns[name], `columns.${name}`, rows, rows)) {
      check.count(index, `columns.${name}`, 0, limit - 1);
    }
  }
  const [layers, heads] = ["layer", "head"].map(
    (name) => (columns[name] as readonly number[]).reduce((most, at) => Math.max(most, at), 0) + 1,
  );
  if (layers * heads > caps.headCount) check.fail("layers × heads", `at most ${caps.headCount}`, layers * heads);
  for (const name of ablationMeasures) check.numbers(columns[name], `columns.${name}`, rows, { gaps: true });
  if (columns["perPrompt"] !== undefined) {
    if (rows * prompts > caps.perPrompt) {
      check.fail("columns.perPrompt", `at most ${caps.perPrompt} numbers`, rows * prompts);
    }
    check
      .list(columns["perPrompt"], "columns.perPrompt", rows, rows)
      .forEach((row, at) => check.numbers(row, `columns.perPrompt[${at}]`, prompts, { gaps: true }));
  }
  check.texts(payload["notes"], "notes", 0, headingCaps.notes, headingCaps.textLength);
  return value as AblationTablePayload;
}
