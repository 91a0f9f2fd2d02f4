import { FormatError, nearestName, OptionError, UnsupportedError } from "../tensor/index.js";
import type { Host } from "./host.js";

const hubId = /^[\w.-]+\/[\w.-]+$/;

/** The snapshot of a hub id in the shared Hugging Face cache. */
async function cachedSnapshot({ files, hubFolders }: Host, id: string, revision: string): Promise<string | undefined> {
  for (const hub of hubFolders()) {
    const repository = files.resolve(hub, `models--${id.replace("/", "--")}`);
    const reference = files.resolve(repository, "refs", revision);
    const named = (await files.stat(reference))?.kind === "file" ? (await files.readText(reference)).trim() : revision;
    const snapshot = files.resolve(repository, "snapshots", named);
    if ((await files.stat(snapshot))?.kind === "folder") return snapshot;
  }
  return undefined;
}

/**
 * The folder that a model's name means: a folder, a name below a model folder, or a hub id in the Hugging Face cache.
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
      throw new FormatError(
        `load: "${source}" (${revision}) is neither a folder nor in the Hugging Face cache ${host.hubFolders().join(", ")}; downloading comes with a later version, \`hf download ${source}\` fetches it now`,
      );
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
