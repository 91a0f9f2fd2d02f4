import type { Engine } from "../graph/index.js";
import { checkOptions, FormatError, knownNames, OptionError, UnsupportedError } from "../tensor/index.js";
import { openCheckpoint } from "./checkpoint.js";
import { families } from "./families/index.js";
import type { Blueprint } from "./family.js";
import { generationConfig } from "./generationRules.js";
import type { Files, Host } from "./host.js";
import type { JsonObject } from "./json.js";
import { readJson } from "./json.js";
import { locate } from "./locate.js";
import { Model } from "./model.js";
import type { Sharing } from "./run.js";
import { pictureReader } from "./pictures/reader.js";
import { openOnnx } from "./onnx/load.js";
import type { OnnxSource } from "./onnx/source.js";
import { onnxFileOf } from "./onnx/source.js";
import type { ProcessOptions } from "./process/processed.js";
import { processed } from "./process/processed.js";
import { loadTokenizer } from "./tokenizer.js";
import { bindWeights } from "./weights.js";

export interface LoadOptions {
  /** Where the model runs: `"cpu"`; `"auto"` takes the fastest; see `devices()`. */
  readonly device?: string;
  /** What matrix products are computed in: `"float32"`; `"float16"` halves the weights where the device has it. */
  readonly dtype?: "float32" | "float16";
  /** Branch, tag or commit of a hub id: `"main"`. */
  readonly revision?: string;
  /** Rewritings of the weights that leave the predictions as they are, noted in the provenance: none. */
  readonly process?: ProcessOptions;
}

/** No model has more layers; a family writes down every one of them before it looks at the weights. */
const mostLayers = 10_000;

function checkLayers(folder: string, config: JsonObject): void {
  for (const [name, value] of Object.entries(config)) {
    if (/layers?$/.test(name) && typeof value === "number" && value > mostLayers) {
      throw new FormatError(`load ${folder}: config.json says ${name} = ${value}; expected at most ${mostLayers}`);
    }
    if (typeof value === "object" && value !== null && !Array.isArray(value)) checkLayers(folder, value as JsonObject);
  }
}

function openBlueprint(folder: string, config: JsonObject): Blueprint {
  checkLayers(folder, config);
  const known = families.flatMap(({ architectures }) => architectures);
  const named = config["architectures"];
  const architecture: unknown = Array.isArray(named) ? named[0] : undefined;
  if (typeof architecture !== "string") {
    throw new FormatError(
      `load ${folder}: config.json names no architecture in "architectures"; known: ${known.join(", ")}`,
    );
  }
  const family = families.find(({ architectures }) => architectures.includes(architecture));
  if (!family) {
    throw new UnsupportedError(
      `load ${folder}: unknown architecture "${architecture}"${knownNames(architecture, known)}`,
    );
  }
  return family.open(architecture, config);
}

function titleOf(source: string): string {
  const parts = source.split(/[/\\]/).filter((part) => part && !/^\.+$/.test(part));
  return parts.at(-1) ?? source;
}

/** Names of the files that say what a model is, beside its weights. */
const described =
  /^(config|generation_config|tokenizer|tokenizer_config|preprocessor_config|special_tokens_map)\.json$|^vocab\.txt$/;

/** What stands beside the weights in a folder. */
async function textsOf(files: Files, folder: string): Promise<Readonly<Record<string, string>>> {
  const names = (await files.list(folder)).filter((name) => described.test(name));
  const read = async (name: string) => [name, await files.readText(files.resolve(folder, name))] as const;
  return Object.fromEntries(await Promise.all(names.map(read)));
}

/** A model from an ONNX file: tokenizer and config are those of its folder, or of the one above. */
async function loadFile(
  host: Host & Sharing,
  source: string,
  engine: Engine,
  { path, folder }: OnnxSource,
): Promise<Model> {
  const { files } = host;
  const signal = host.interruptSignal();
  const { blueprint, paths } = await openOnnx(files, engine, path, folder, signal ? { signal } : {});
  const tokenizer = await loadTokenizer(files, folder);
  const name = titleOf(source);
  return new Model({
    name,
    blueprint,
    weights: new Map(),
    tokenizer,
    readPictures: blueprint.pictures && (await pictureReader(host, folder)),
    generation: await generationConfig(files, folder, blueprint),
    engine,
    interruptSignal: host.interruptSignal,
    share: host.share,
    provenance: async () => ({
      model: name,
      modelHash: (await Promise.all(paths.map(files.sha256))).map((digest) => digest.slice(0, 16)).join(" "),
      architecture: blueprint.architecture,
      tokenizer: tokenizer?.name ?? "none",
      device: engine.device,
      dtype: engine.dtype,
      ...host.versions(),
    }),
    texts: async () => textsOf(files, folder),
  });
}

/** See `load` of the facade. */
export async function loadModel(host: Host & Sharing, source: string, options: LoadOptions = {}): Promise<Model> {
  checkOptions("load", options, ["device", "dtype", "revision", "process"]);
  const { device = "cpu", dtype = "float32", revision = "main", process = {} } = options;
  if (!["float32", "float16"].includes(dtype)) {
    throw new OptionError(`load: unknown dtype "${dtype}"${knownNames(dtype, ["float32", "float16"])}`);
  }
  const engine = await host.engine(device, dtype);
  const { files } = host;
  const found = await locate(host, source, revision);
  const file = await onnxFileOf(files, found);
  if (file && Object.values(process).includes(true)) {
    throw new UnsupportedError(`load ${source}: the weights of an ONNX file cannot be processed; load its safetensors`);
  }
  if (file) return loadFile(host, source, engine, file);
  const folder = found;
  if (!(await files.list(folder)).includes("config.json")) throw new FormatError(`load ${folder}: no config.json`);
  const blueprint = openBlueprint(folder, await readJson(files, files.resolve(folder, "config.json")));
  const checkpoint = await openCheckpoint(files, folder);
  const { weights, done } = processed(blueprint, bindWeights(blueprint, checkpoint), process);
  const tokenizer = await loadTokenizer(files, folder);
  const name = titleOf(source);
  return new Model({
    name,
    blueprint: { ...blueprint, notes: [...(blueprint.notes ?? []), ...done] },
    weights,
    tokenizer,
    readPictures: blueprint.pictures && (await pictureReader(host, folder)),
    generation: await generationConfig(files, folder, blueprint),
    engine,
    interruptSignal: host.interruptSignal,
    share: host.share,
    provenance: async () => ({
      model: name,
      modelHash: (await Promise.all(checkpoint.paths.map(files.sha256))).map((digest) => digest.slice(0, 16)).join(" "),
      architecture: blueprint.architecture,
      tokenizer: tokenizer?.name ?? "none",
      device: engine.device,
      dtype: engine.dtype,
      ...(done.length > 0 ? { process: done.join("; ") } : {}),
      ...host.versions(),
    }),
    texts: async () => {
      // The config of the folder would read processed weights as others.
      if (done.length > 0)
        throw new UnsupportedError(`save: ${name} has processed weights; load it without { process }`);
      return textsOf(files, folder);
    },
  });
}
