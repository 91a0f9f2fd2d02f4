import type { StoredEntry, Tensor } from "../tensor/index.js";
import { FormatError, parseSafetensorsHeader, safetensorsHeaderLimit, storedTensor } from "../tensor/index.js";
import type { Files } from "./host.js";

export { parseSafetensorsHeader, storageOf } from "../tensor/index.js";

/** One tensor of a safetensors file, still on disk; its offset counts from the start of the file. */
export interface StoredTensor extends StoredEntry {
  /** Real path of the file. */
  readonly path: string;
  /** Changes when the file does. */
  readonly version: string;
}

/**
 * The tensors of a safetensors file by name.
 *
 * Throws   FormatError on anything but a complete and consistent file
 */
export async function openSafetensors(files: Files, path: string): Promise<ReadonlyMap<string, StoredTensor>> {
  const place = `safetensors ${path}`;
  const found = await files.stat(path);
  if (found?.kind !== "file") throw new FormatError(`${place}: no such file`);
  const { sizeBytes, modifiedMs, realPath } = found;
  const prefix = await files.readBytes(path, 0, 8);
  if (String.fromCharCode(...prefix) === "version ") {
    throw new FormatError(
      `${place}: is a pointer of git-lfs, not the file itself; expected the weights, as "git lfs pull" fetches them`,
    );
  }
  if (prefix.length < 8) throw new FormatError(`${place}: expected at least 8 bytes, got ${prefix.length}`);
  const length = new DataView(prefix.buffer, prefix.byteOffset, 8).getBigUint64(0, true);
  if (length > BigInt(safetensorsHeaderLimit) || Number(length) > sizeBytes - 8) {
    throw new FormatError(
      `${place}: the header claims ${length} bytes but the file holds ${sizeBytes}; is it truncated?`,
    );
  }
  const headerBytes = Number(length);
  let json: string;
  try {
    json = files.decodeText(await files.readBytes(path, 8, headerBytes));
  } catch (error) {
    throw new FormatError(`${place}: the header is not text: ${(error as Error).message}`);
  }
  const start = 8 + headerBytes;
  const version = `${sizeBytes} ${modifiedMs}`;
  return new Map(
    parseSafetensorsHeader(place, json, sizeBytes - start).map((entry) => [
      entry.name,
      { ...entry, offset: entry.offset + start, path: realPath, version },
    ]),
  );
}

/**
 * One stored tensor, read into memory.
 *
 * Throws   UnsupportedError for an element type without a typed array
 */
export async function readTensor(files: Files, entry: StoredTensor): Promise<Tensor> {
  return storedTensor(entry, await files.readBytes(entry.path, entry.offset, entry.sizeBytes));
}
