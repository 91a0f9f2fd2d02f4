import { clone, create, fromBinary } from "@bufbuild/protobuf";
import type { OnnxFile } from "../../graph/index.js";
import { namesReadBy } from "../../graph/index.js";
import type { GraphProto, ModelProto, TensorProto } from "../../graph/proto/onnx_pb.js";
import {
  ModelProtoSchema,
  StringStringEntryProtoSchema,
  TensorProto_DataLocation,
  TensorProto_DataType as Element,
  TensorProtoSchema,
} from "../../graph/proto/onnx_pb.js";
import { FormatError, UnsupportedError } from "../../tensor/index.js";
import type { Files } from "../host.js";
import { ownBytes, skimOnnx } from "./skim.js";

/** An ONNX file, and the files it leans on. */
export interface ReadFile {
  readonly file: OnnxFile;
  /** Real paths of the file and of its weights, in order. */
  readonly paths: readonly string[];
}

function parse(place: string, bytes: Uint8Array): ModelProto {
  try {
    return fromBinary(ModelProtoSchema, bytes);
  } catch (error) {
    throw new FormatError(`${place}: not an ONNX file: ${(error as Error).message}`);
  }
}

function splitPath(path: string): readonly [string, string] {
  const cut = Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\"));
  return [path.slice(0, cut), path.slice(cut + 1)];
}

/** Bytes of one element, where a type has whole ones. */
const elementBytes = new Map<number, number>([
  ...[Element.FLOAT, Element.INT32, Element.UINT32].map((type) => [type, 4] as const),
  ...[Element.DOUBLE, Element.INT64, Element.UINT64].map((type) => [type, 8] as const),
  ...[Element.FLOAT16, Element.BFLOAT16, Element.INT16, Element.UINT16].map((type) => [type, 2] as const),
  ...[Element.BOOL, Element.INT8, Element.UINT8].map((type) => [type, 1] as const),
]);

/** Throws FormatError on a name that is defined twice, or read before a node defines it. */
function checkOrder(place: string, { input, initializer, node }: GraphProto): void {
  const defined = new Set([...input, ...initializer].map(({ name }) => name));
  for (const proto of node) {
    const by = `node "${proto.name || proto.output[0] || "?"}" (${proto.opType})`;
    const missing = namesReadBy(proto).find((name) => !defined.has(name));
    if (missing !== undefined) {
      throw new FormatError(`${place}: ${by} reads "${missing}", which nothing before it defines; a cyclic graph?`);
    }
    for (const name of proto.output.filter(Boolean)) {
      if (defined.has(name)) throw new FormatError(`${place}: ${by} defines "${name}" a second time`);
      defined.add(name);
    }
  }
}

interface WeightFile {
  readonly realPath: string;
  readonly sizeBytes: number;
  readonly version: string;
}

/** The weight files of one model, checked as they are met. */
class WeightFiles {
  readonly #files: Files;
  readonly #place: string;
  readonly #folder: string;
  readonly #own: WeightFile;
  readonly #known = new Map<string, WeightFile>();

  constructor(files: Files, place: string, folder: string, own: WeightFile) {
    this.#own = own;
    this.#files = files;
    this.#place = place;
    this.#folder = folder;
  }

  get paths(): string[] {
    return [...this.#known.values()].map(({ realPath }) => realPath);
  }

  get versions(): string {
    return [...this.#known.values()].map(({ version }) => version).join("\n");
  }

  async place(proto: TensorProto): Promise<{ readonly proto: TensorProto; readonly sizeBytes: number }> {
    const { name } = proto;
    const entry = (key: string): string | undefined => proto.externalData.find((pair) => pair.key === key)?.value;
    const location = entry("location") ?? "";
    const wrong = (what: string): FormatError => new FormatError(`${this.#place}: tensor "${name}" ${what}`);
    if (location === ownBytes) this.#known.set(location, this.#own);
    if (location === "" || /^[\\/]|^[a-z]:|(^|[\\/])\.\.([\\/]|$)/i.test(location)) {
      throw wrong(`lies outside the model's folder, at "${location}"`);
    }
    const file = this.#known.get(location) ?? (await this.#open(location, wrong));
    const offset = Number(entry("offset") ?? "0");
    const length = Number(entry("length") ?? String(file.sizeBytes - offset));
    if (![offset, length].every((count) => Number.isSafeInteger(count) && count >= 0)) {
      throw wrong(`has no valid place in "${location}": offset ${entry("offset")}, length ${entry("length")}`);
    }
    if (offset + length > file.sizeBytes) {
      throw wrong(
        `spans bytes ${offset}…${offset + length} of "${location}", which holds ${file.sizeBytes}; is it incomplete?`,
      );
    }
    const needed = proto.dims.reduce((product, dim) => product * Number(dim), elementBytes.get(proto.dataType) ?? NaN);
    if (needed !== length && !Number.isNaN(needed)) {
      throw wrong(`has ${length} bytes but its shape [${proto.dims.join(",")}] needs ${needed}`);
    }
    const held = { location: splitPath(file.realPath)[1], offset: String(offset), length: String(length) };
    const placed = clone(TensorProtoSchema, proto);
    placed.externalData = Object.entries(held).map(([key, value]) =>
      create(StringStringEntryProtoSchema, { key, value }),
    );
    return { proto: placed, sizeBytes: length };
  }

  async #open(location: string, wrong: (what: string) => FormatError): Promise<WeightFile> {
    const found = await this.#files.stat(this.#files.resolve(this.#folder, location));
    if (found?.kind !== "file") throw wrong(`lies in "${location}", which is not there`);
    const { realPath, sizeBytes, modifiedMs } = found;
    const opened = { realPath, sizeBytes, version: `${realPath} ${sizeBytes} ${modifiedMs}` };
    this.#known.set(location, opened);
    return opened;
  }
}

/**
 * Reads an ONNX file; its large tensors stay on disk, in it or in the files beside it.
 *
 * Throws   FormatError on a broken or incomplete file; UnsupportedError on sparse weights or weights in several folders
 */
export async function readOnnxFile(files: Files, path: string): Promise<ReadFile> {
  const place = `onnx ${path}`;
  const found = await files.stat(path);
  if (found?.kind !== "file") throw new FormatError(`${place}: no such file`);
  const { realPath, sizeBytes, modifiedMs } = found;
  const [folder] = splitPath(files.resolve(path));
  const model = parse(place, await skimOnnx(files, path, sizeBytes));
  const { graph, opsetImport, functions, irVersion } = model;
  if (!graph || graph.node.length === 0) throw new FormatError(`${place}: the file holds no graph`);
  if (graph.sparseInitializer.length > 0) throw new UnsupportedError(`${place}: sparse tensors cannot be read`);
  const version = `${realPath} ${sizeBytes} ${modifiedMs}`;
  const weights = new WeightFiles(files, place, folder, { realPath, sizeBytes, version });
  let weightBytes = 0;
  const initializer: TensorProto[] = [];
  for (const proto of graph.initializer) {
    if (proto.dataLocation === TensorProto_DataLocation.EXTERNAL) {
      const placed = await weights.place(proto);
      initializer.push(placed.proto);
      weightBytes += placed.sizeBytes;
    } else {
      initializer.push(proto);
    }
  }
  const folders = [...new Set(weights.paths.map((weightPath) => splitPath(weightPath)[0]))];
  if (folders.length > 1)
    throw new UnsupportedError(`${place}: weights must lie in one folder, got ${folders.join(", ")}`);
  const held = new Set(initializer.map(({ name }) => name));
  graph.initializer = initializer;
  checkOrder(place, graph);
  // Old files list the weights among the inputs too.
  graph.input = graph.input.filter(({ name }) => !held.has(name));
  return {
    file: {
      version: `${version}\n${weights.versions}`,
      graph,
      functions,
      opsets: new Map(opsetImport.map(({ domain, version }) => [domain === "ai.onnx" ? "" : domain, version])),
      irVersion,
      folder: folders[0],
      weightBytes,
    },
    paths: [...new Set([realPath, ...weights.paths])],
  };
}
