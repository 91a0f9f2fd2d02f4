import { base64Length } from "./base64.js";
import { type Check, checksOf } from "./check.js";
import { headingCaps, readHeading } from "./heading.js";
import { headPairCaps, headPairVersion, type HeadPairPayload } from "./headPairPayload.js";

const check: Check = checksOf("head pair");
const caps = headPairCaps;

/**
 * Checks an unknown value as a payload of two heads and returns it, typed.
 *
 * Throws   PayloadError with a reason a reader can act on
 */
export function readHeadPair(value: unknown): HeadPairPayload {
  const payload = readHeading(check, value, "head-pair", headPairVersion);
  check.texts(payload["names"], "names", 2, 2, caps.nameLength);
  check.flag(payload["causal"], "causal");
  const tokens = (name: string, least: number, most: number): number =>
    check.texts(payload[name], name, least, most, caps.tokenLength).length;
  const queries = tokens("queryTokens", 1, caps.tokens);
  const keys = tokens("keyTokens", 1, caps.tokens);
  if (payload["otherQueryTokens"] !== undefined) tokens("otherQueryTokens", queries, queries);
  if (payload["otherKeyTokens"] !== undefined) tokens("otherKeyTokens", keys, keys);
  const block = check.count(payload["block"], "block", 1, caps.tokens);
  const cells = Math.ceil(queries / block) * Math.ceil(keys / block);
  if (cells > caps.cells) check.fail("block", `squares so large that there are at most ${caps.cells}`, block);
  const expected = base64Length(6 * cells);
  const data = check.text(payload["data"], "data", expected);
  if (data.length !== expected || !/^[A-Za-z0-9+/]*={0,2}$/.test(data)) {
    check.fail("data", `${expected} characters of base64`, `${data.length} characters`);
  }
  check.numbers(payload["totalVariation"], "totalVariation", queries);
  check.numbers([payload["jensenShannonNats"]], "jensenShannonNats", 1);
  check.list(payload["largest"], "largest", 0, caps.largest).forEach((entry, at) => {
    const { query, key, a, b } = check.record(entry, `largest[${at}]`);
    check.count(query, `largest[${at}].query`, 0, queries - 1);
    check.count(key, `largest[${at}].key`, 0, keys - 1);
    check.numbers([a, b], `largest[${at}]`, 2);
  });
  check.texts(payload["notes"], "notes", 0, headingCaps.notes, headingCaps.textLength);
  return value as HeadPairPayload;
}
