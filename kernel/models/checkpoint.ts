import { FormatError } from "../tensor/index.js";
import type { Files } from "./host.js";
import { readJson } from "./json.js";
import type { StoredTensor } from "./safetensors.js";
import { openSafetensors } from "./safetensors.js";

/** The weights of a model folder, still on disk. */
export interface Checkpoint {
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  /** Paths of the files, in order. */
  readonly paths: readonly string[];
}

/**
 * The weights in a folder: model.safetensors, or the shards that model.safetensors.index.json lists.
 *
 * Throws   FormatError when there are none, or when a file breaks the format
 */
export async function openCheckpoint(files: Files, folder: string): Promise<Checkpoint> {
  const names = await files.list(folder);
  if (names.includes("model.safetensors")) {
    const path = files.resolve(folder, "model.safetensors");
    return { tensors: await openSafetensors(files, path), paths: [path] };
  }
  if (names.includes("model.safetensors.index.json")) return openShards(files, folder);
  const others = names.filter((name) => /\.(bin|pt|pth|onnx|h5|msgpack|gguf|safetensors)$/.test(name));
  throw new FormatError(
    `load ${folder}: expected model.safetensors or model.safetensors.index.json, got ${others.join(", ") || "no weights"}`,
  );
}

async function openShards(files: Files, folder: string): Promise<Checkpoint> {
  const path = files.resolve(folder, "model.safetensors.index.json");
  const { weight_map: map } = (await readJson(files, path)) as { readonly weight_map?: unknown };
  if (typeof map !== "object" || map === null) throw new FormatError(`load ${path}: expected an object "weight_map"`);
  const shards = [...new Set(Object.values(map as Record<string, unknown>))];
  const held = await files.list(folder);
  const tensors = new Map<string, StoredTensor>();
  const paths: string[] = [];
  for (const shard of shards) {
    // A shard is a plain file name: an index must not lead out of its folder.
    if (typeof shard !== "string" || /[/\\]|^\.\.?$/.test(shard)) {
      throw new FormatError(`load ${path}: expected a file name of a shard, got ${JSON.stringify(shard)}`);
    }
    if (!held.includes(shard)) {
      const got = shards.filter((each) => held.includes(each as string)).join(", ") || "none of them";
      throw new FormatError(`load ${path}: names the shard "${shard}", which is not in the folder; got ${got}`);
    }
    paths.push(files.resolve(folder, shard));
    for (const [name, tensor] of await openSafetensors(files, paths.at(-1)!)) tensors.set(name, tensor);
  }
  const missing = Object.keys(map).find((name) => !tensors.has(name));
  if (missing !== undefined) throw new FormatError(`load ${path}: no shard holds tensor "${missing}"`);
  return { tensors, paths };
}
