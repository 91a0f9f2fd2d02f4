import { type Check, checksOf } from "./check.js";
import { curvesMime, curvesText, readCurves, type CurvesPayload } from "./curves.js";
import { clip, headingCaps, provenanceText, readHeading, type Heading, type Provenance } from "./heading.js";
import { matrixMime, matrixText, readMatrix, type MatrixPayload } from "./matrix.js";

/** MIME type of panels; the major version is part of the name. */
export const panelsMime = "application/vnd.attention-lab.panels.v1+json";

/** Version of the payload that this build writes: readers accept every 1.x. */
export const panelsVersion = "1.0";

/** One picture of a report. */
export type Panel =
  | { readonly name: string; readonly mime: typeof curvesMime; readonly payload: CurvesPayload }
  | { readonly name: string; readonly mime: typeof matrixMime; readonly payload: MatrixPayload };

/** A report: some sentences and several pictures. Plain JSON. */
export interface PanelsPayload extends Heading<"panels"> {
  readonly summary: readonly string[];
  readonly panels: readonly Panel[];
}

/** Upper limits; a reader refuses more. */
export const panelsCaps: { readonly panels: number; readonly nameLength: number } = { panels: 16, nameLength: 64 };

const check: Check = checksOf("panels");

/**
 * A report; a panel that does not say where its numbers come from has that of the report, for it is saved by itself too.
 *
 * Throws   PayloadError unless there are 1 … 16 panels with different names
 */
export function panels(
  title: string,
  list: readonly Panel[],
  options: { readonly summary?: readonly string[]; readonly provenance?: Provenance } = {},
): PanelsPayload {
  const { summary = [], provenance = {} } = options;
  return readPanels({
    view: "panels",
    version: panelsVersion,
    title: clip(title, headingCaps.titleLength),
    summary: summary.slice(0, headingCaps.notes).map((line) => clip(line, headingCaps.textLength)),
    panels: list.map((panel) => withProvenance(panel, provenance)),
    provenance,
  });
}

function withProvenance(panel: Panel, provenance: Provenance): Panel {
  const all = { ...provenance, ...panel.payload.provenance };
  // Two branches, since each view has its own payload.
  return panel.mime === curvesMime
    ? { ...panel, payload: { ...panel.payload, provenance: all } }
    : { ...panel, payload: { ...panel.payload, provenance: all } };
}

/** The sentences, and the summaries of all panels. */
export function panelsText(payload: PanelsPayload): string {
  const texts = payload.panels.map(({ mime, payload: panel }) =>
    mime === curvesMime ? curvesText({ ...panel, provenance: {} }) : matrixText({ ...panel, provenance: {} }),
  );
  return [payload.title, ...payload.summary, ...texts, ...provenanceText(payload)].join("\n");
}

/**
 * Checks an unknown value as a payload of panels and returns it, typed.
 *
 * Throws   PayloadError with a reason a reader can act on
 */
export function readPanels(value: unknown): PanelsPayload {
  const payload = readHeading(check, value, "panels", panelsVersion);
  check.texts(payload["summary"], "summary", 0, headingCaps.notes, headingCaps.textLength);
  const names = check.list(payload["panels"], "panels", 1, panelsCaps.panels).map((entry, at) => {
    const { name, mime, payload: panel } = check.record(entry, `panels[${at}]`);
    if (name === "") check.fail(`panels[${at}].name`, "a name", name);
    const kind = check.oneOf(mime, `panels[${at}].mime`, [curvesMime, matrixMime]);
    if (kind === curvesMime) readCurves(panel);
    else readMatrix(panel);
    return check.text(name, `panels[${at}].name`, panelsCaps.nameLength);
  });
  if (new Set(names).size < names.length) check.fail("panels", "different names", names.join(", "));
  return value as PanelsPayload;
}
