import { FormatError, nearestName, OptionError, UnsupportedError } from "../tensor/index.js";
import type { Files, Host } from "./host.js";
import { readJson } from "./json.js";

const hubId = /^[\w.-]+\/[\w.-]+$/;

/** The snapshot of a hub id in the shared Hugging Face cache, where it is whole. */
async function cachedSnapshot({ files, hubFolder }: Host, id: string, revision: string): Promise<string | undefined> {
  const repository = files.resolve(hubFolder(), `models--${id.replace("/", "--")}`);
  const reference = files.resolve(repository, "refs", revision);
  const named = (await files.stat(reference))?.kind === "file" ? (await files.readText(reference)).trim() : revision;
  const snapshot = files.resolve(repository, "snapshots", named);
  return (await isWhole(files, snapshot)) ? snapshot : undefined;
}

/** Whether a snapshot holds all its weights: other programs fetch only what they need. */
async function isWhole(files: Files, folder: string): Promise<boolean> {
  const has = async (name: string): Promise<boolean> =>
    (await files.stat(files.resolve(folder, name)))?.kind === "file";
  const index = "model.safetensors.index.json";
  if (await has("model.safetensors")) return has("config.json");
  if (!(await has(index))) return (await has("model.onnx")) || has("onnx/model.onnx");
  const { weight_map: map } = await readJson(files, files.resolve(folder, index));
  const shards = [...new Set(Object.values((map ?? {}) as Readonly<Record<string, unknown>>))];
  const held = await Promise.all(shards.map((shard) => has(String(shard))));
  return held.every(Boolean) && has("config.json");
}

/**
 * The folder that a model's name means: a folder, a name below a model folder, or a hub id, from the Hugging Face
 * cache where that holds it whole and from the hub otherwise.
 *
 * Throws   FormatError with the nearest names when there is none; UnsupportedError for a file
 */
export async function locate(host: Host, source: unknown, revision: string): Promise<string> {
  if (typeof source !== "string" || source.trim() === "") {
    throw new OptionError(
      `load: expected a folder or a hub id, got ${typeof source === "string" ? "an empty name" : typeof source}`,
    );
  }
  const { files } = host;
  const direct = files.resolve(source);
  const found = await files.stat(direct);
  if (found?.kind === "folder") return direct;
  if (found && direct.endsWith(".onnx")) return direct;
  if (found)
    throw new UnsupportedError(
      `load: expected a folder in Hugging Face layout or an .onnx file, got the file ${direct}`,
    );
  const isPath = /^(\.{0,2}\/|~)/.test(source) || /^[A-Za-z]:[\\/]/.test(source) || source.startsWith("..");
  const folders = host.modelFolders();
  if (!isPath) {
    for (const folder of folders) {
      const below = files.resolve(folder, source);
      if ((await files.stat(below))?.kind === "folder") return below;
    }
    if (hubId.test(source)) {
      const snapshot = await cachedSnapshot(host, source, revision);
      if (snapshot !== undefined) return snapshot;
      return host.download(source, revision);
    }
  }
  const name = source.split(/[/\\]/).filter(Boolean).at(-1) ?? source;
  const beside = await files.list(files.resolve(direct, ".."));
  const below = (await Promise.all(folders.map(files.list))).flat();
  const near = nearestName(name, [...beside, ...below]);
  const guess = near === undefined ? "" : `; did you mean "${near}"?`;
  const models = below.length > 0 ? `; known: ${below.join(", ")}` : "";
  const looked = isPath ? "" : ` nor below ${folders.join(", ") || "a model folder (set ATTENTION_LAB_MODELS)"}`;
  throw new FormatError(`load: no folder ${direct}${looked}${guess}${models}`);
}
