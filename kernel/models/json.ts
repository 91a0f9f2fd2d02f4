import { FormatError } from "../tensor/index.js";
import type { Files } from "./host.js";

export type JsonObject = Readonly<Record<string, unknown>>;

/**
 * The object that a JSON file holds.
 *
 * Throws   FormatError on anything else
 */
export async function readJson(files: Files, path: string): Promise<JsonObject> {
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
  return value as JsonObject;
}
