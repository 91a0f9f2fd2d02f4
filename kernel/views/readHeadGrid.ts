import { type Check, checksOf } from "./check.js";
import { readHeadEffects } from "./headEffect.js";
import { headGridCaps, headGridVersion, type HeadGridPayload } from "./headGridPayload.js";
import { readHeading } from "./heading.js";
import { headScalarNames } from "./headScalars.js";
import { readLiveName } from "./liveName.js";
import { storedLength } from "./patternStore.js";

const check: Check = checksOf("head grid");
const { count, list, record, text } = check;

/**
 * Checks an unknown value as a head-grid payload and returns it, typed.
 *
 * Throws   PayloadError with a reason a reader can act on: another major version, a missing or mistyped field, sizes
 *          over `headGridCaps`, arrays whose lengths do not agree, numbers that are not finite
 */
export function readHeadGrid(value: unknown): HeadGridPayload {
  const payload = readHeading(check, value, "head-grid", headGridVersion);
  const caps = headGridCaps;
  check.flag(payload["causal"], "causal");
  const layers = count(payload["layers"], "layers", 1, caps.layers);
  const heads = count(payload["heads"], "heads", 1, caps.heads);
  if (layers * heads > caps.headCount) check.fail("layers × heads", `at most ${caps.headCount}`, layers * heads);
  const samples = list(payload["samples"], "samples", 1, caps.samples);
  samples.forEach((sample, index) => checkSample(sample, `samples[${index}]`, layers * heads));
  readLiveName(check, payload);
  if (payload["effects"] !== undefined) readHeadEffects(payload["effects"], { layers, heads, samples: samples.length });
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
        check.fail(`${place}.scalars.${name}`, "finite numbers ≥ 0", number);
      }
    }
  }
  checkPatterns(sample["patterns"], `${place}.patterns`, headCount, queries, keys);
}

function checkPatterns(value: unknown, place: string, headCount: number, queries: number, keys: number): void {
  const patterns = record(value, place);
  const codec = check.oneOf(patterns["codec"], `${place}.codec`, ["float16", "sqrt8"]);
  const block = count(patterns["block"], `${place}.block`, 1, headGridCaps.tokens);
  const rows = Math.ceil(queries / block);
  const columns = Math.ceil(keys / block);
  count(patterns["rows"], `${place}.rows`, rows, rows);
  count(patterns["columns"], `${place}.columns`, columns, columns);
  const data = text(patterns["data"], `${place}.data`, headGridCaps.dataLength);
  const expected = storedLength(codec, headCount, rows, columns);
  if (data.length !== expected) {
    check.fail(
      `${place}.data`,
      `${expected} characters (${headCount} heads of ${rows} × ${columns})`,
      `${data.length} characters`,
    );
  }
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(data)) check.fail(`${place}.data`, "base64", "other characters");
}
