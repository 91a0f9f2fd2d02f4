import type { Files } from "../host.js";
import { FormatError } from "../../tensor/index.js";

/** An ONNX file, and the folder with its config and tokenizer. */
export interface OnnxSource {
  readonly path: string;
  readonly folder: string;
}

/** The folder that describes a file: its own, or the one above where that one holds the config. */
async function describing(files: Files, path: string): Promise<OnnxSource> {
  const own = files.resolve(path, "..");
  const above = files.resolve(own, "..");
  const isOutside =
    !(await files.list(own)).includes("config.json") && (await files.list(above)).includes("config.json");
  return { path, folder: isOutside ? above : own };
}

/**
 * The ONNX file that a place means: the file itself; in a folder without safetensors `model.onnx`, `onnx/model.onnx` or the
 * only ONNX file; undefined where the folder has none.
 *
 * Throws   FormatError where a folder holds several and none of these names
 */
export async function onnxFileOf(files: Files, found: string): Promise<OnnxSource | undefined> {
  if ((await files.stat(found))?.kind === "file") return describing(files, found);
  const names = await files.list(found);
  if (names.some((name) => name.endsWith(".safetensors") || name.endsWith(".safetensors.index.json"))) return undefined;
  const below = (await files.list(files.resolve(found, "onnx"))).map((name) => `onnx/${name}`);
  const models = [...names, ...below].filter((name) => name.endsWith(".onnx"));
  const chosen =
    ["model.onnx", "onnx/model.onnx"].find((name) => models.includes(name)) ??
    (models.length === 1 ? models[0] : undefined);
  if (chosen !== undefined) return describing(files, files.resolve(found, chosen));
  if (models.length === 0) return undefined;
  throw new FormatError(`load ${found}: several ONNX files, name one of them: ${models.join(", ")}`);
}
