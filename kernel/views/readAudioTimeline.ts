import { audioTimelineCaps, audioTimelineVersion, type AudioTimelinePayload } from "./audioTimelinePayload.js";
import { base64Length } from "./base64.js";
import { type Check, checksOf } from "./check.js";
import { headingCaps, readHeading } from "./heading.js";
import { readLiveName } from "./liveName.js";
import { storedLength } from "./patternStore.js";

const check: Check = checksOf("audio timeline");

/**
 * Checks an unknown value as the payload of attention over a sound and returns it, typed.
 *
 * Throws   PayloadError with a reason a reader can act on
 */
export function readAudioTimeline(value: unknown): AudioTimelinePayload {
  const payload = readHeading(check, value, "audio-timeline", audioTimelineVersion);
  const caps = audioTimelineCaps;
  const time = check.record(payload["time"], "time");
  const frames = check.count(time["frames"], "time.frames", 1, caps.frames);
  within(time["secondsPerFrame"], "time.secondsPerFrame", 1e-6, 3_600);
  const block = check.count(time["block"], "time.block", 1, frames);
  const columns = Math.ceil(frames / block);
  const tokens = check.texts(payload["tokens"], "tokens", 1, caps.tokens, caps.tokenLength).length;
  const maps = check.record(payload["maps"], "maps");
  const count = check.texts(maps["name"], "maps.name", 1, caps.maps, caps.nameLength).length;
  const each = (name: string, length: number, visit: (entry: unknown, place: string) => void): void => {
    for (const entry of check.list(maps[name], `maps.${name}`, length, length)) visit(entry, `maps.${name}`);
  };
  for (const name of ["layer", "head"]) each(name, count, (at, place) => check.count(at, place, -1, 511));
  each("max", count, (max, place) => within(max, place, 0, 1e30));
  each("peak", count * tokens, (frame, place) => check.count(frame, place, 0, frames - 1));
  each("mass", count * tokens, (mass, place) => within(mass, place, 0, 1e36));
  const weights = check.record(payload["weights"], "weights");
  const codec = check.oneOf(weights["codec"], "weights.codec", ["float16", "sqrt8"]);
  check.count(weights["rows"], "weights.rows", tokens, tokens);
  check.count(weights["columns"], "weights.columns", columns, columns);
  check.count(weights["block"], "weights.block", 1, 1);
  checkBytes(weights["data"], "weights.data", storedLength(codec, count, tokens, columns));
  if (payload["sound"] !== undefined) {
    const sound = check.record(payload["sound"], "sound");
    const bins = check.count(sound["bins"], "sound.bins", 1, caps.bins);
    const slices = check.count(sound["columns"], "sound.columns", 1, caps.frames);
    checkBytes(sound["data"], "sound.data", base64Length(bins * slices));
  }
  if (payload["starts"] !== undefined) {
    for (const start of check.list(payload["starts"], "starts", tokens, tokens)) within(start, "starts", 0, 1e9);
  }
  check.texts(payload["notes"], "notes", 0, headingCaps.notes, headingCaps.textLength);
  readLiveName(check, payload);
  return value as AudioTimelinePayload;
}

function within(value: unknown, place: string, least: number, most: number): void {
  if (!Number.isFinite(value) || (value as number) < least || (value as number) > most) {
    check.fail(place, `a number in ${least}…${most}`, value);
  }
}

function checkBytes(value: unknown, place: string, length: number): void {
  const data = check.text(value, place, audioTimelineCaps.dataLength);
  if (data.length !== length) check.fail(place, `${length} characters`, `${data.length} characters`);
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(data)) check.fail(place, "base64", "other characters");
}
