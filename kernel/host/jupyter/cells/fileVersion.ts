import { createHash } from "node:crypto";
import { readFileSync, statSync } from "node:fs";

/** One file as it was when it was read. */
export interface FileVersion {
  readonly path: string;
  readonly stamp: string;
  readonly hash: string;
}

export function readVersion(path: string): { readonly text: string; readonly version: FileVersion } {
  const stamp = stampOf(path);
  const text = readFileSync(path, "utf8").replace(/^\uFEFF/, "");
  return { text, version: { path, stamp: stamp ?? "", hash: hashOf(text) } };
}

/** Whether a file's content is another than it was; a file that was only touched has not changed. */
export function hasChanged({ path, stamp, hash }: FileVersion): boolean {
  const now = stampOf(path);
  if (now === stamp) return false;
  return now === undefined || hashOf(readFileSync(path, "utf8").replace(/^\uFEFF/, "")) !== hash;
}

function stampOf(path: string): string | undefined {
  const found = statSync(path, { bigint: true, throwIfNoEntry: false });
  return found && `${found.mtimeNs} ${found.size} ${found.ino}`;
}

function hashOf(text: string): string {
  return createHash("sha256").update(text).digest("base64");
}
