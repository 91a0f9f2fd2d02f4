import {
  ablationMeasures,
  ablationTableCaps,
  ablationTableVersion,
  type AblationMeasure,
  type AblationTablePayload,
} from "./ablationTablePayload.js";
import { clip, headingCaps, rounded, type Provenance } from "./heading.js";
import { PayloadError } from "./payloadError.js";

export {
  ablationMeasures,
  ablationTableMime,
  type AblationColumns,
  type AblationMeasure,
  type AblationTablePayload,
} from "./ablationTablePayload.js";
export { ablationTableText } from "./ablationTableText.js";
export { readAblationTable } from "./readAblationTable.js";

/** What an ablation table is made from. */
export interface AblationTableInput {
  readonly title: string;
  readonly metric: string;
  /** The metric of each prompt as it is. */
  readonly clean: readonly number[];
  readonly rows: readonly (Readonly<Record<AblationMeasure, number>> & {
    readonly layer: number;
    readonly head: number;
    readonly mode: string;
    readonly perPrompt: readonly number[];
  })[];
  readonly notes: readonly string[];
  readonly provenance: Provenance;
}

/** Numbers that fit into a megabyte, of rows and of single prompts. */
const [mostRows, mostPerPrompt] = [8_000, 40_000];

type InputRow = AblationTableInput["rows"][number];

/**
 * The payload of an ablation table. Of more than 8 000 rows the largest effects are kept, and a note says so; effects on
 * single prompts are left out where there are more than 40 000.
 *
 * Range    6 significant digits; what is not finite is null
 * Throws   PayloadError without rows, or with effects on another number of prompts
 */
export function ablationTable(input: AblationTableInput): AblationTablePayload {
  const { title, metric, clean, provenance } = input;
  if (input.rows.length < 1) throw new PayloadError("ablation table: expected at least one row, got none");
  const rows = largestRows(input.rows);
  const cut = `The ${rows.length} largest of ${input.rows.length} effects; an export has all`;
  const notes = rows.length < input.rows.length ? [cut, ...input.notes] : input.notes;
  const odd = rows.find(({ perPrompt }) => perPrompt.length !== clean.length);
  if (odd) {
    throw new PayloadError(
      `ablation table: expected effects on ${clean.length} prompts, got ${odd.perPrompt.length} for L${odd.layer}.H${odd.head}`,
    );
  }
  const modes = [...new Set(rows.map(({ mode }) => mode))];
  const column = (name: AblationMeasure): readonly (number | null)[] => rows.map((row) => rounded(row[name]));
  const whole = rows.length * clean.length <= mostPerPrompt;
  return {
    view: "ablation-table",
    version: ablationTableVersion,
    title: clip(title, headingCaps.titleLength),
    metric: clip(metric, ablationTableCaps.nameLength),
    clean: clean.slice(0, mostPerPrompt).map(rounded),
    modes: modes.map((mode) => clip(mode, ablationTableCaps.nameLength)),
    columns: {
      layer: rows.map(({ layer }) => layer),
      head: rows.map(({ head }) => head),
      mode: rows.map(({ mode }) => modes.indexOf(mode)),
      ...(Object.fromEntries(ablationMeasures.map((name) => [name, column(name)])) as Record<
        AblationMeasure,
        readonly (number | null)[]
      >),
      ...(whole ? { perPrompt: rows.map(({ perPrompt }) => perPrompt.map(rounded)) } : {}),
    },
    notes: notes.slice(0, headingCaps.notes).map((note) => clip(note, headingCaps.textLength)),
    provenance,
  };
}

/** The rows with the largest effects, in the order in which they stood. */
function largestRows(rows: readonly InputRow[]): readonly InputRow[] {
  if (rows.length <= mostRows) return rows;
  const order = rows.map((_, at) => at).sort((a, b) => Math.abs(rows[b].effect) - Math.abs(rows[a].effect));
  const kept = new Set(order.slice(0, mostRows));
  return rows.filter((_, at) => kept.has(at));
}
