import { headGridCaps, headGridVersion, type HeadGridPayload } from "./headGridPayload.js";
import { headScalarNames } from "./headScalars.js";
import { storedLength } from "./patternStore.js";
import { PayloadError } from "./payloadError.js";

/**
 * Checks an unknown value as a head-grid payload and returns it, typed.
 *
 * Throws   PayloadError with a reason a reader can act on: another major version, a missing or mistyped field, sizes
 *          over `headGridCaps`, arrays whose lengths do not agree, numbers that are not finite
 */
export function readHeadGrid(value: unknown): HeadGridPayload {
  const payload = record(value, "the payload");
  const version = text(payload["version"], "version", 32);
  const major = version.split(".")[0];
  const ownMajor = headGridVersion.split(".")[0];
  if (major !== ownMajor) {
    throw new PayloadError(
      `head grid: made by another version of Attention Lab; expected payload version ${ownMajor}.x, got ${quote(version)}` +
        (Number(major) > Number(ownMajor) ? "; update the extension to see it" : "; run the cell again"),
    );
  }
  if (payload["view"] !== "head-grid") fail("view", '"head-grid"', payload["view"]);
  const caps = headGridCaps;
  text(payload["title"], "title", caps.titleLength);
  if (typeof payload["causal"] !== "boolean") fail("causal", "true or false", payload["causal"]);
  const layers = count(payload["layers"], "layers", 1, caps.layers);
  const heads = count(payload["heads"], "heads", 1, caps.heads);
  if (layers * heads > caps.headCount) fail("layers × heads", `at most ${caps.headCount}`, layers * heads);
  checkProvenance(payload["provenance"]);
  const samples = list(payload["samples"], "samples", 1, caps.samples);
  samples.forEach((sample, index) => checkSample(sample, `samples[${index}]`, layers * heads));
  return value as HeadGridPayload;
}

function checkSample(value: unknown, place: string, headCount: number): void {
  const caps = headGridCaps;
  const sample = record(value, place);
  if (sample["text"] !== undefined) text(sample["text"], `${place}.text`, caps.textLength);
  const tokenCount = (name: "queryTokens" | "keyTokens"): number => {
    const tokens = list(sample[name], `${place}.${name}`, 1, caps.tokens);
    tokens.forEach((token, index) => text(token, `${place}.${name}[${index}]`, caps.tokenLength));
    return tokens.length;
  };
  const queries = tokenCount("queryTokens");
  const keys = tokenCount("keyTokens");
  for (const key of list(sample["specialKeys"], `${place}.specialKeys`, 0, keys)) {
    count(key, `${place}.specialKeys`, 0, keys - 1);
  }
  if (sample["patchGrid"] !== undefined) {
    const grid = record(sample["patchGrid"], `${place}.patchGrid`);
    const rows = count(grid["rows"], `${place}.patchGrid.rows`, 1, keys);
    count(grid["columns"], `${place}.patchGrid.columns`, 1, Math.floor(keys / rows));
  }
  const scalars = record(sample["scalars"], `${place}.scalars`);
  for (const name of headScalarNames) {
    for (const number of list(scalars[name], `${place}.scalars.${name}`, headCount, headCount)) {
      if (typeof number !== "number" || !Number.isFinite(number) || number < 0) {
        fail(`${place}.scalars.${name}`, "finite numbers ≥ 0", number);
      }
    }
  }
  checkPatterns(sample["patterns"], `${place}.patterns`, headCount, queries, keys);
}

function checkPatterns(value: unknown, place: string, headCount: number, queries: number, keys: number): void {
  const patterns = record(value, place);
  const codec = patterns["codec"];
  if (codec !== "float16" && codec !== "sqrt8") return fail(`${place}.codec`, '"float16" or "sqrt8"', codec);
  const block = count(patterns["block"], `${place}.block`, 1, headGridCaps.tokens);
  const rows = Math.ceil(queries / block);
  const columns = Math.ceil(keys / block);
  count(patterns["rows"], `${place}.rows`, rows, rows);
  count(patterns["columns"], `${place}.columns`, columns, columns);
  const data = text(patterns["data"], `${place}.data`, headGridCaps.dataLength);
  const expected = storedLength(codec, headCount, rows, columns);
  if (data.length !== expected) {
    fail(
      `${place}.data`,
      `${expected} characters (${headCount} heads of ${rows} × ${columns})`,
      `${data.length} characters`,
    );
  }
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(data)) fail(`${place}.data`, "base64", "other characters");
}

function checkProvenance(value: unknown): void {
  const entries = Object.entries(record(value, "provenance"));
  if (entries.length > headGridCaps.provenanceEntries) {
    fail("provenance", `at most ${headGridCaps.provenanceEntries} entries`, entries.length);
  }
  for (const [name, entry] of entries) {
    text(name, "provenance", headGridCaps.titleLength);
    if (typeof entry === "string") text(entry, `provenance.${name}`, headGridCaps.textLength);
    else if (typeof entry !== "number" || !Number.isFinite(entry))
      fail(`provenance.${name}`, "text or a finite number", entry);
  }
}

function record(value: unknown, place: string): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) fail(place, "an object", value);
  return value as Readonly<Record<string, unknown>>;
}

function list(value: unknown, place: string, least: number, most: number): readonly unknown[] {
  if (!Array.isArray(value)) return fail(place, "a list", value);
  if (value.length < least || value.length > most) {
    fail(place, least === most ? `${least} entries` : `${least}…${most} entries`, value.length);
  }
  return value as readonly unknown[];
}

function count(value: unknown, place: string, least: number, most: number): number {
  if (!Number.isInteger(value) || (value as number) < least || (value as number) > most) {
    fail(place, least === most ? `${least}` : `a whole number in ${least}…${most}`, value);
  }
  return value as number;
}

function text(value: unknown, place: string, limit: number): string {
  if (typeof value !== "string") return fail(place, "text", value);
  if (value.length > limit) fail(place, `at most ${limit} characters`, value.length);
  return value;
}

function fail(place: string, expected: string, got: unknown): never {
  throw new PayloadError(`head grid: ${place}: expected ${expected}, got ${quote(got)}`);
}

/** A short picture of a foreign value: never its whole content. */
function quote(value: unknown): string {
  if (typeof value === "string")
    return value.length > 40 ? `${JSON.stringify(value.slice(0, 40))}…` : JSON.stringify(value);
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === "object" && value !== null) return "an object";
  return String(value);
}
