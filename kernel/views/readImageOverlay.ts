import { base64Length } from "./base64.js";
import { type Check, checksOf } from "./check.js";
import { headingCaps, readHeading } from "./heading.js";
import { imageOverlayCaps, imageOverlayVersion, type ImageOverlayPayload } from "./imageOverlayPayload.js";
import { readLiveName } from "./liveName.js";
import { storedLength } from "./patternStore.js";

const check: Check = checksOf("image overlay");

/**
 * Checks an unknown value as the payload of attention over a picture and returns it, typed.
 *
 * Throws   PayloadError with a reason a reader can act on
 */
export function readImageOverlay(value: unknown): ImageOverlayPayload {
  const payload = readHeading(check, value, "image-overlay", imageOverlayVersion);
  const caps = imageOverlayCaps;
  const picture = check.record(payload["picture"], "picture");
  const width = check.count(picture["width"], "picture.width", 1, caps.side);
  const height = check.count(picture["height"], "picture.height", 1, caps.side);
  checkBytes(picture["data"], "picture.data", base64Length(width * height));
  if (payload["mask"] !== undefined) {
    const mask = check.record(payload["mask"], "mask");
    const across = check.count(mask["width"], "mask.width", 1, caps.side);
    const down = check.count(mask["height"], "mask.height", 1, caps.side);
    checkBytes(mask["data"], "mask.data", base64Length(Math.ceil((across * down) / 8)));
  }
  const grid = check.record(payload["grid"], "grid");
  const rows = check.count(grid["rows"], "grid.rows", 1, caps.patches);
  const columns = check.count(grid["columns"], "grid.columns", 1, Math.floor(caps.patches / rows));
  const queries = check.texts(
    payload["queries"],
    "queries",
    rows * columns,
    rows * columns + 1,
    caps.nameLength,
  ).length;
  const maps = check.record(payload["maps"], "maps");
  const count = check.texts(maps["name"], "maps.name", 1, caps.maps, caps.nameLength).length;
  for (const name of ["layer", "head"]) {
    for (const at of check.list(maps[name], `maps.${name}`, count, count)) check.count(at, `maps.${name}`, -1, 511);
  }
  check.numbers(maps["max"], "maps.max", count);
  for (const max of maps["max"] as readonly number[])
    if (max < 0 || max > 1e30) check.fail("maps.max", "numbers in 0…1e30", max);
  const weights = check.record(payload["weights"], "weights");
  const codec = check.oneOf(weights["codec"], "weights.codec", ["float16", "sqrt8"]);
  check.count(weights["rows"], "weights.rows", queries, queries);
  check.count(weights["columns"], "weights.columns", rows * columns, rows * columns);
  check.count(weights["block"], "weights.block", 1, 1);
  checkBytes(weights["data"], "weights.data", storedLength(codec, count, queries, rows * columns));
  check.texts(payload["notes"], "notes", 0, headingCaps.notes, headingCaps.textLength);
  readLiveName(check, payload);
  return value as ImageOverlayPayload;
}

function checkBytes(value: unknown, place: string, length: number): void {
  const data = check.text(value, place, imageOverlayCaps.dataLength);
  if (data.length !== length) check.fail(place, `${length} characters`, `${data.length} characters`);
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(data)) check.fail(place, "base64", "other characters");
}
