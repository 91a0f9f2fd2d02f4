import { createHash } from "node:crypto";
import { createReadStream, existsSync } from "node:fs";
import { open, readdir, readFile, realpath, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { delimiter, dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { Files } from "../models/host.js";
import { FormatError } from "../tensor/index.js";

const digests = new Map<string, Promise<string>>();

function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR");
}

async function digest(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer);
  return hash.digest("hex");
}

function decodeText(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new FormatError(`files: expected UTF-8 text, got ${bytes.length} bytes that are not`);
  }
}

function expand(path: string): string {
  return path === "~" || path.startsWith("~/") ? join(homedir(), path.slice(1)) : path;
}

/** The local disk. */
export const files: Files = {
  async stat(path) {
    try {
      const found = await stat(path);
      const kind = found.isDirectory() ? "folder" : "file";
      return { kind, sizeBytes: found.size, modifiedMs: found.mtimeMs, realPath: await realpath(path) };
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  },

  async list(folder) {
    try {
      return (await readdir(folder)).sort();
    } catch (error) {
      if (isMissing(error)) return [];
      throw error;
    }
  },

  async readText(path) {
    try {
      return decodeText(await readFile(path));
    } catch (error) {
      if (error instanceof FormatError) throw new FormatError(`${path}: ${error.message}`);
      throw error;
    }
  },

  async readBytes(path, offset, sizeBytes) {
    const handle = await open(path);
    try {
      const buffer = new Uint8Array(sizeBytes);
      let filled = 0;
      while (filled < sizeBytes) {
        const { bytesRead } = await handle.read(buffer, filled, sizeBytes - filled, offset + filled);
        if (bytesRead === 0) break;
        filled += bytesRead;
      }
      return buffer.subarray(0, filled);
    } finally {
      await handle.close();
    }
  },

  decodeText,

  async sha256(path) {
    const found = await stat(path);
    const key = `${path} ${found.size} ${found.mtimeMs}`;
    const known = digests.get(key) ?? digest(path);
    digests.set(key, known);
    return known;
  },

  resolve: (...parts) => resolve(...parts.map(expand)),
};

/** Small models that come with the package: `load("demo")`, `load("demo-sink")`, `load("demo-vision")`. */
export const ownModels: string = fileURLToPath(new URL("../../demos", import.meta.url));

/**
 * Folders in which a bare model name is looked up: those of `ATTENTION_LAB_MODELS`,
 * else `.cache/models` beside the nearest package.json upward of the working folder.
 */
export function modelFolders(): readonly string[] {
  const named = process.env["ATTENTION_LAB_MODELS"];
  if (named)
    return named
      .split(delimiter)
      .filter(Boolean)
      .map((folder) => files.resolve(folder));
  for (let folder = process.cwd(); ; folder = dirname(folder)) {
    if (existsSync(join(folder, "package.json")) && existsSync(join(folder, ".cache", "models"))) {
      return [join(folder, ".cache", "models")];
    }
    if (dirname(folder) === folder) return [];
  }
}
