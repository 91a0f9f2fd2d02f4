import { base64Length } from "./base64.js";
import { type Check, checksOf } from "./check.js";
import { headGridCaps } from "./headGridPayload.js";
import { headingCaps, readHeading } from "./heading.js";
import { tokenStripCaps, tokenStripVersion, type TokenStripPayload } from "./tokenStripPayload.js";

const check: Check = checksOf("token strip");
const caps = tokenStripCaps;

/**
 * Checks an unknown value as a payload of a token strip and returns it, typed.
 *
 * Throws   PayloadError with a reason a reader can act on
 */
export function readTokenStrip(value: unknown): TokenStripPayload {
  const payload = readHeading(check, value, "token-strip", tokenStripVersion);
  check.text(payload["measure"], "measure", caps.measureLength);
  const kind = check.oneOf(payload["kind"], "kind", ["diverging", "sequential"]);
  const tokens = check.texts(payload["tokens"], "tokens", 1, caps.tokens, caps.tokenLength).length;
  check.numbers(payload["values"], "values", tokens, { gaps: true });
  const negative = (payload["values"] as readonly (number | null)[]).find((number) => number !== null && number < 0);
  if (kind === "sequential" && negative !== undefined) check.fail("values", "numbers ≥ 0 or null", negative);
  check.texts(payload["notes"], "notes", 0, headingCaps.notes, headingCaps.textLength);
  if (payload["attention"] !== undefined) checkLines(payload["attention"], tokens);
  if (payload["live"] !== undefined) checkLive(payload["live"]);
  return value as TokenStripPayload;
}

function checkLines(value: unknown, tokens: number): void {
  const lines = check.record(value, "attention");
  check.text(lines["caption"], "attention.caption", caps.measureLength);
  check.flag(lines["causal"], "attention.causal");
  const own = lines["queries"];
  const queries =
    own === undefined ? tokens : check.texts(own, "attention.queries", 1, caps.tokens, caps.tokenLength).length;
  const kept = check.count(lines["kept"], "attention.kept", 1, tokens);
  if (queries * kept > caps.kept) check.fail("attention.kept", `at most ${caps.kept} weights`, queries * kept);
  const largest = lines["largest"];
  if (!(typeof largest === "number" && largest >= 0 && largest < Infinity)) {
    check.fail("attention.largest", "a finite number ≥ 0", largest);
  }
  check.numbers(lines["mass"], "attention.mass", queries);
  const low = (lines["mass"] as readonly number[]).find((mass) => mass < 0);
  if (low !== undefined) check.fail("attention.mass", "numbers ≥ 0", low);
  checkBytes(lines["weights"], "attention.weights", 2 * queries * kept);
  if (lines["keys"] !== undefined) checkBytes(lines["keys"], "attention.keys", 2 * queries * kept);
  else if (kept !== tokens) check.fail("attention.keys", `keys, for ${kept} of ${tokens} weights are kept`, undefined);
}

function checkBytes(value: unknown, place: string, bytes: number): void {
  const expected = base64Length(bytes);
  const data = check.text(value, place, expected);
  if (data.length !== expected) check.fail(place, `${expected} characters`, `${data.length} characters`);
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(data)) check.fail(place, "base64", "other characters");
}

function checkLive(value: unknown): void {
  const live = check.record(value, "live");
  check.text(live["run"], "live.run", headGridCaps.nameLength);
  check.text(live["stack"], "live.stack", headGridCaps.nameLength);
  const layers = check.count(live["layers"], "live.layers", 1, headGridCaps.layers);
  const heads = check.count(live["heads"], "live.heads", 1, headGridCaps.heads);
  check.count(live["layer"], "live.layer", 0, layers - 1);
  if (live["head"] !== null) check.count(live["head"], "live.head", 0, heads - 1);
  check.count(live["sample"], "live.sample", 0, headGridCaps.samples);
}
