import type { Check } from "./check.js";
import { PayloadError } from "./payloadError.js";

/** Where numbers come from: model, revision, device, seed, … */
export type Provenance = Readonly<Record<string, string | number>>;

/** What every payload begins with. */
export interface Heading<View extends string> {
  readonly view: View;
  /** "1.0": readers accept every 1.x. */
  readonly version: string;
  readonly title: string;
  readonly provenance: Provenance;
}

/** Upper limits of a heading and of notes; a reader refuses more. */
export const headingCaps: {
  readonly titleLength: number;
  readonly textLength: number;
  readonly provenanceEntries: number;
  readonly notes: number;
} = { titleLength: 512, textLength: 4_096, provenanceEntries: 64, notes: 16 };

/**
 * Checks the heading of a payload and returns the payload as a record.
 *
 * Throws   PayloadError; for another major version with the advice that helps
 */
export function readHeading(
  check: Check,
  value: unknown,
  view: string,
  ownVersion: string,
): Readonly<Record<string, unknown>> {
  const payload = check.record(value, "the payload");
  const version = check.text(payload["version"], "version", 32);
  const [major, ownMajor] = [version, ownVersion].map((text) => text.split(".")[0]);
  if (major !== ownMajor) {
    throw new PayloadError(
      `${view.replaceAll("-", " ")}: made by another version of Attention Lab; expected payload version ${ownMajor}.x, got ` +
        JSON.stringify(version) +
        (Number(major) > Number(ownMajor) ? "; update the extension to see it" : "; run the cell again"),
    );
  }
  check.oneOf(payload["view"], "view", [view]);
  check.text(payload["title"], "title", headingCaps.titleLength);
  readProvenance(check, payload["provenance"]);
  return payload;
}

function readProvenance(check: Check, value: unknown): void {
  const entries = Object.entries(check.record(value, "provenance"));
  if (entries.length > headingCaps.provenanceEntries) {
    check.fail("provenance", `at most ${headingCaps.provenanceEntries} entries`, entries.length);
  }
  for (const [name, entry] of entries) {
    check.text(name, "provenance", headingCaps.titleLength);
    if (typeof entry === "string") check.text(entry, `provenance.${name}`, headingCaps.textLength);
    else if (!Number.isFinite(entry)) check.fail(`provenance.${name}`, "text or a finite number", entry);
  }
}

/** The text cut to `limit` UTF-16 units, an ellipsis marking the cut; never half of a surrogate pair. */
export function clip(text: string, limit: number): string {
  if (text.length <= limit) return text;
  return `${text.slice(0, limit - 1).replace(/[\uD800-\uDBFF]$/, "")}…`;
}

/** At most 6 significant digits; `null` for what is not finite. */
export function rounded(value: number): number | null {
  return Number.isFinite(value) ? Number(value.toPrecision(6)) : null;
}

/** The provenance as one line, "name value · name value"; no line where there is none. */
export function provenanceText({ provenance }: { readonly provenance: Provenance }): readonly string[] {
  const entries = Object.entries(provenance).map(([name, value]) => `${name} ${value}`);
  return entries.length > 0 ? [entries.join(" · ")] : [];
}
