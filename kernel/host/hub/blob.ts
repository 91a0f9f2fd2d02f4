import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, open, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { EngineError, FormatError } from "../../tensor/index.js";
import type { RemoteFile } from "./requests.js";
import { headersOf, pause } from "./requests.js";
import type { HubSettings } from "./settings.js";

/** Failures in a row, none of which brought a byte, before a file is given up. */
const attempts = 5;

async function sizeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).size;
  } catch {
    return undefined;
  }
}

/** The digest that the blob's name promises: sha256, git's hash of a blob, or none. */
async function checksum(path: string, etag: string, sizeBytes: number): Promise<string> {
  const hash = /^[0-9a-f]{64}$/.test(etag)
    ? createHash("sha256")
    : /^[0-9a-f]{40}$/.test(etag)
      ? createHash("sha1").update(`blob ${sizeBytes}\0`)
      : undefined;
  if (!hash) return etag;
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer);
  return hash.digest("hex");
}

/** Appends what is missing to the unfinished file; true when all of it has come. */
async function continueFrom(
  settings: HubSettings,
  url: URL,
  partial: string,
  { sizeBytes }: RemoteFile,
  onBytes: (total: number) => void,
  signal: AbortSignal | undefined,
): Promise<void> {
  const done = (await sizeOf(partial)) ?? 0;
  if (done === sizeBytes) return;
  if (done > sizeBytes) await rm(partial);
  const from = done > sizeBytes ? 0 : done;
  const headers = { ...headersOf(settings), ...(from > 0 ? { range: `bytes=${from}-` } : {}) };
  const response = await fetch(url, { headers, signal: signal ?? null });
  if (!response.ok || !response.body) {
    await response.body?.cancel();
    throw new FormatError(`the server answered ${response.status} ${response.statusText}`);
  }
  // A server that does not resume sends the whole file.
  const isResumed = response.status === 206;
  const file = await open(partial, isResumed ? "a" : "w");
  try {
    let total = isResumed ? from : 0;
    for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
      await file.write(chunk);
      total += chunk.length;
      onBytes(total);
    }
  } finally {
    await file.close();
  }
}

/**
 * Fetches one file into its blob. What breaks off stays as `.incomplete` and is continued next time; a blob under its own
 * name is whole and has the checksum of its name.
 *
 * Throws   FormatError when the bytes are not what the hub promised; EngineError when the disk is full
 */
export async function fetchBlob(
  settings: HubSettings,
  path: string,
  remote: RemoteFile,
  blob: string,
  onBytes: (total: number) => void,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { name, etag, sizeBytes } = remote;
  const partial = `${blob}.incomplete`;
  const url = new URL(path, `${settings.endpoint}/`);
  await mkdir(dirname(blob), { recursive: true });
  for (let failures = 0; ;) {
    const before = (await sizeOf(partial)) ?? 0;
    let why = "it ended early";
    try {
      await continueFrom(settings, url, partial, remote, onBytes, signal);
    } catch (error) {
      signal?.throwIfAborted();
      if ((error as { readonly code?: string }).code === "ENOSPC") {
        await rm(partial, { force: true });
        throw new EngineError(`load: the disk is full while "${name}" is fetched to ${dirname(blob)}`);
      }
      why = (error as Error).message;
    }
    const after = (await sizeOf(partial)) ?? 0;
    if (sizeBytes === 0 && after === 0) await (await open(partial, "w")).close();
    if (after === sizeBytes) break;
    failures = after > before ? 0 : failures + 1;
    if (failures === attempts || after > sizeBytes) {
      throw new FormatError(
        `load: "${name}" could not be fetched (${why}): ${after} of ${sizeBytes} bytes have come; load again to go on`,
      );
    }
    await pause(failures, signal);
  }
  const found = await checksum(partial, etag, sizeBytes);
  if (found !== etag) {
    await rm(partial, { force: true });
    throw new FormatError(`load: "${name}" arrived broken: its checksum is ${found}, expected ${etag}; load again`);
  }
  await rename(partial, blob);
}
