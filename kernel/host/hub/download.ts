import { copyFile, mkdir, readFile, rm, stat, statfs, symlink, writeFile } from "node:fs/promises";
import { freemem } from "node:os";
import { dirname, join, relative } from "node:path";
import { EngineError, FormatError, UnsupportedError } from "../../tensor/index.js";
import { fetchBlob } from "./blob.js";
import type { RemoteFile, Repository } from "./requests.js";
import { remoteFile, repositoryOf, resolvePath } from "./requests.js";
import type { HubSettings } from "./settings.js";

/** A bar that shows how far a download is. */
export interface DownloadBar {
  update(done: number): void;
  finish(): void;
}

export interface DownloadOptions {
  /** Makes the bar; the unit is a megabyte. */
  readonly progress: (total: number, options: { readonly label: string }) => DownloadBar;
  readonly signal?: AbortSignal | undefined;
  /** Memory that a model may take, in bytes. */
  readonly freeMemory?: () => number;
  /** Room on the disk of a folder, in bytes. */
  readonly freeDisk?: (folder: string) => Promise<number>;
}

/** Files beside the weights that a model is read from. */
const described: readonly string[] = [
  "config.json", "generation_config.json", "preprocessor_config.json", "processor_config.json", "special_tokens_map.json",
  "added_tokens.json", "tokenizer.json", "tokenizer_config.json", "vocab.json", "vocab.txt", "merges.txt",
]; // prettier-ignore

const indexName = "model.safetensors.index.json";

function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(bytes < 1e8 ? 3 : 1)} GB`;
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

/** One snapshot in the shared cache while it is filled. */
class Snapshot {
  readonly folder: string;
  readonly #settings: HubSettings;
  readonly #repository: Repository;
  readonly #root: string;
  readonly #options: DownloadOptions;

  constructor(settings: HubSettings, repository: Repository, options: DownloadOptions) {
    this.#settings = settings;
    this.#repository = repository;
    this.#options = options;
    this.#root = join(settings.cache, `models--${repository.id.replaceAll("/", "--")}`);
    this.folder = join(this.#root, "snapshots", repository.commit);
  }

  /** Fetches the files of these names that are not there yet, with one bar for all. */
  async add(names: readonly string[], label: string | undefined): Promise<void> {
    const missing: RemoteFile[] = [];
    for (const name of names) {
      if (await exists(join(this.folder, name))) continue;
      const remote = await remoteFile(this.#settings, this.#repository, name, this.#options.signal);
      if (await exists(this.#blob(remote))) await this.#link(remote);
      else missing.push(remote);
    }
    if (missing.length === 0) return;
    await this.#checkRoom(missing);
    const bytes = missing.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    const total = Math.max(1, Math.round(bytes / 1e6));
    const bar = label === undefined ? undefined : this.#options.progress(total, { label });
    let before = 0;
    try {
      for (const remote of missing) {
        const path = resolvePath(this.#repository.id, this.#repository.commit, remote.name);
        const onBytes = (done: number): void => bar?.update(Math.round((before + done) / 1e6));
        await fetchBlob(this.#settings, path, remote, this.#blob(remote), onBytes, this.#options.signal);
        await this.#link(remote);
        before += remote.sizeBytes;
      }
      bar?.update(total);
    } finally {
      bar?.finish();
    }
  }

  /** Lets a branch or tag point at this commit. */
  async name(revision: string): Promise<void> {
    if (revision === this.#repository.commit) return;
    const path = join(this.#root, "refs", revision);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, this.#repository.commit);
  }

  #blob({ etag }: RemoteFile): string {
    return join(this.#root, "blobs", etag);
  }

  async #link(remote: RemoteFile): Promise<void> {
    const path = join(this.folder, remote.name);
    const blob = this.#blob(remote);
    await mkdir(dirname(path), { recursive: true });
    await rm(path, { force: true });
    try {
      await symlink(relative(dirname(path), blob), path);
    } catch {
      // Some systems let only administrators make links.
      await copyFile(blob, path);
    }
  }

  async #checkRoom(missing: readonly RemoteFile[]): Promise<void> {
    const { freeDisk = diskRoom, freeMemory = memoryRoom } = this.#options;
    const { id } = this.#repository;
    const bytes = missing.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    await mkdir(this.#root, { recursive: true });
    const disk = await freeDisk(this.#root);
    if (bytes > disk) {
      throw new EngineError(
        `load: "${id}" needs ${gigabytes(bytes)} of disk in ${this.#settings.cache}, ${gigabytes(disk)} free`,
      );
    }
    const weights = missing.filter(({ name }) => /\.(safetensors|onnx|onnx_data)$/.test(name));
    const held = weights.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    const memory = freeMemory();
    if (held > memory) {
      throw new EngineError(
        `load: "${id}" needs at least ${gigabytes(held)} of memory, ${gigabytes(memory)} free; it is not fetched`,
      );
    }
  }
}

async function diskRoom(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}

function memoryRoom(): number {
  return typeof process.availableMemory === "function" ? process.availableMemory() : freemem();
}

/** The shards that an index lists; throws FormatError where one is no plain file name. */
async function shardsOf(path: string): Promise<readonly string[]> {
  let map: unknown;
  try {
    map = (JSON.parse(await readFile(path, "utf8")) as { readonly weight_map?: unknown }).weight_map;
  } catch (error) {
    throw new FormatError(`load ${path}: not JSON: ${(error as Error).message}`);
  }
  if (typeof map !== "object" || map === null) throw new FormatError(`load ${path}: expected an object "weight_map"`);
  return [...new Set(Object.values(map as Record<string, unknown>))].map((shard) => {
    if (typeof shard === "string" && !/[/\\]|^\.\.?$/.test(shard)) return shard;
    throw new FormatError(`load ${path}: expected a file name of a shard, got ${JSON.stringify(shard)}`);
  });
}

/** The weights of a model, in the form that loads best. */
async function weightNames({ id, names }: Repository, snapshot: Snapshot): Promise<readonly string[]> {
  if (names.includes("model.safetensors")) return ["model.safetensors"];
  if (names.includes(indexName)) {
    await snapshot.add([indexName], undefined);
    return shardsOf(join(snapshot.folder, indexName));
  }
  const onnx = ["model.onnx", "onnx/model.onnx"].find((name) => names.includes(name));
  if (onnx !== undefined) return names.filter((name) => name === onnx || name.startsWith(`${onnx}_data`));
  const others = names.filter((name) => /\.(bin|pt|pth|onnx|h5|msgpack|gguf|safetensors|ckpt)$/.test(name));
  throw new UnsupportedError(
    `load: "${id}" holds no model.safetensors, ${indexName} or model.onnx; got ${others.slice(0, 6).join(", ") || "no weights"}`,
  );
}

/**
 * Fetches a model from the hub into the shared Hugging Face cache, as huggingface_hub lays it out, and gives its snapshot's
 * folder. What is there is not fetched again; what breaks off is continued by the next call.
 *
 * Throws   FormatError when there is no such model, or the bytes are not what the hub promised; UnsupportedError when it is
 *          gated or holds no weights that can be read; EngineError when disk or memory is too small for it
 */
export async function download(
  settings: HubSettings,
  id: string,
  revision: string,
  options: DownloadOptions,
): Promise<string> {
  if (settings.isOffline) {
    throw new FormatError(
      `load: "${id}" (${revision}) is neither a folder nor in the Hugging Face cache ${settings.cache}, and HF_HUB_OFFLINE is set`,
    );
  }
  if (revision.split("/").some((part) => part === "" || part === "." || part === "..") || /[\\\0]/.test(revision)) {
    throw new FormatError(`load: "${revision}" is no revision`);
  }
  const repository = await repositoryOf(settings, id, revision, options.signal);
  const snapshot = new Snapshot(settings, repository, options);
  await snapshot.add(
    described.filter((name) => repository.names.includes(name)),
    undefined,
  );
  await snapshot.add(await weightNames(repository, snapshot), `${id} (MB)`);
  // The name comes last: a snapshot that is named is whole.
  await snapshot.name(revision);
  return snapshot.folder;
}
