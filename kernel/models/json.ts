import { FormatError, isDeeper } from "../tensor/index.js";
import type { Files } from "./host.js";

export type JsonObject = Readonly<Record<string, unknown>>;

/** A value where it is a text, else another one. */
export function textIn(value: unknown, otherwise: string): string {
  return typeof value === "string" ? value : otherwise;
}

/** No config or tokenizer is larger, or holds parts in parts in parts deeper than this. */
const [largestBytes, deepest] = [4e8, 64];

/**
 * The object that a JSON file holds.
 *
 * Throws   FormatError on anything else, and on files that are too large or too deep to be one
 */
export async function readJson(files: Files, path: string): Promise<JsonObject> {
  const sizeBytes = (await files.stat(path))?.sizeBytes ?? 0;
  if (sizeBytes > largestBytes) {
    throw new FormatError(`${path}: ${sizeBytes} bytes of JSON; expected at most ${largestBytes}`);
  }
  const text = await files.readText(path);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new FormatError(`${path}: not JSON: ${(error as Error).message}`);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new FormatError(`${path}: expected a JSON object, got ${text.slice(0, 40)}`);
  }
  if (isDeeper(value, deepest)) {
    throw new FormatError(`${path}: lists and objects lie in each other more than ${deepest} deep`);
  }
  return value as JsonObject;
}
