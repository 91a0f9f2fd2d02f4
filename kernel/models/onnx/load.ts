import type { Engine, OnnxFile, RunSettings } from "../../graph/index.js";
import { initializersOf } from "../../graph/index.js";
import { Tensor, UnsupportedError } from "../../tensor/index.js";
import { tokenIds } from "../config.js";
import type { Batch, Blueprint } from "../family.js";
import { arange } from "../feeds.js";
import { forward } from "../forward.js";
import type { Files } from "../host.js";
import type { JsonObject } from "../json.js";
import { readJson } from "../json.js";
import { fileInputs, feedsOf, inputValues } from "./feeds.js";
import type { FileInput } from "./feeds.js";
import { FileGraph } from "./fileGraph.js";
import type { Inspected } from "./inspect.js";
import { inspect } from "./inspect.js";
import { relativeError } from "./proof.js";
import { readOnnxFile } from "./readFile.js";

/** Roundings of the explicit form against a fused operator stay below this. */
const tolerance = 1e-3;
/** Length of the text of the first run: no usual size of a head or number of heads. */
const probeLength = 11;

/** A model from an ONNX file. */
export interface OnnxModel {
  readonly blueprint: Blueprint;
  readonly paths: readonly string[];
}

function whole(config: JsonObject, names: readonly string[]): number | undefined {
  const found = names.map((name) => config[name]).find((value) => Number.isSafeInteger(value) && (value as number) > 0);
  return found as number | undefined;
}

/** A batch that tells sizes apart: two texts, the second with padding at its end. */
function probeBatch(inputs: readonly FileInput[], positions: number, vocabulary: number): Batch {
  const [size, length] = inputs.find(({ role }) => role === "ids")?.shape ?? [];
  const rows = typeof size === "number" ? size : 2;
  const columns = typeof length === "number" ? length : Math.min(probeLength, positions);
  const flat = (of: (b: number, t: number) => number): Int32Array =>
    Int32Array.from({ length: rows * columns }, (_, i) => of(Math.floor(i / columns), i % columns));
  return {
    size: rows,
    length: columns,
    inputIds: flat((b, t) => (7 * t + 3 * b + 1) % Math.min(vocabulary, 50)),
    attentionMask: flat((b, t) => (b === 1 && t >= columns - 3 ? 0 : 1)),
    tokenTypeIds: flat(() => 0),
  };
}

/** Whether no query of the first text weighs a key behind it. */
function isCausal(pattern: Tensor): boolean {
  const [, heads, queries, keys] = pattern.shape;
  if (queries !== keys) return false;
  const numbers = pattern.numbers();
  for (let i = 0; i < heads * queries * keys; i++) {
    if (i % keys > Math.floor(i / keys) % queries && numbers[i] !== 0) return false;
  }
  return true;
}

/** Whatever two blocks of one model must agree in, refused where they do not. */
function commonSizes(place: string, { blocks }: Inspected): Inspected["blocks"][number]["sizes"] {
  const [first] = blocks;
  const other = blocks.find(({ sizes }) => JSON.stringify(sizes) !== JSON.stringify(first.sizes));
  if (other) {
    const text = ({ address, sizes }: typeof first): string =>
      `${address} has ${sizes.heads} (${sizes.kvHeads}) heads of ${sizes.headDim}`;
    throw new UnsupportedError(
      `${place}: attentions of one model must have the same sizes; ${text(first)}, ${text(other)}`,
    );
  }
  return first.sizes;
}

function notesOf({ blocks, not }: Inspected): string[] {
  const forms = new Map<string, string[]>();
  for (const { address, block } of blocks) forms.set(block.form, [...(forms.get(block.form) ?? []), address]);
  return [
    ...[...forms].map(([form, addresses]) => `${addresses.length} attentions found (${form}): ${addresses.join(", ")}`),
    ...not.map(({ node, reason }) => `not opened: ${node}: ${reason}`),
  ];
}

/** The patterns of the first run; operators that were opened are held to what the file itself gave. */
async function provenPatterns(
  engine: Engine,
  place: string,
  blueprint: Blueprint,
  { blocks, seen, outputs }: Inspected,
  batch: Batch,
  settings: RunSettings,
): Promise<readonly Tensor[]> {
  if (blocks.every(({ block }) => block.pattern !== undefined))
    return blocks.map(({ block }) => seen.get(block.pattern!)!);
  const { values } = forward(blueprint, new Map());
  const asked = [...outputs, ...blocks.map(({ address }) => `${address}.pattern`)];
  const compiled = await engine.compile(Object.fromEntries(asked.map((name) => [name, values.get(name)!])), settings);
  try {
    const results = await compiled.run(blueprint.feeds(batch), undefined, settings);
    for (const name of outputs) {
      const off = relativeError(results[name], seen.get(name)!, batch);
      if (!(off < tolerance)) {
        throw new UnsupportedError(
          `${place}: with its attentions opened, output "${name}" is off by ${off.toPrecision(2)} of its largest value; the file is not opened`,
        );
      }
    }
    return blocks.map(({ address }) => results[`${address}.pattern`]);
  } finally {
    await compiled.dispose();
  }
}

/** The embedding table's rows: the largest id that the file can look up. */
function embeddedRows({ graph }: OnnxFile, inputs: readonly FileInput[]): number | undefined {
  const ids = inputs.filter(({ role }) => role === "ids").map(({ name }) => name);
  const gather = graph.node.find(({ opType, input }) => opType === "Gather" && ids.includes(input[1]));
  const rows = gather ? initializersOf(graph).get(gather.input[0])?.dims[0] : undefined;
  return rows === undefined ? undefined : Number(rows);
}

function architectureOf(config: JsonObject): string {
  const named = config["architectures"];
  const first: unknown = Array.isArray(named) ? named[0] : undefined;
  return typeof first === "string" ? `${first} (ONNX)` : "ONNX";
}

/**
 * A model from an ONNX file, its attentions opened under the usual addresses.
 *
 * Throws   FormatError on a broken file; UnsupportedError where no attention is found, or where the opened graph does not
 *          compute what the file computes
 */
export async function openOnnx(
  files: Files,
  engine: Engine,
  path: string,
  folder: string,
  settings: RunSettings,
): Promise<OnnxModel> {
  const place = `onnx ${path}`;
  if (engine.device !== "cpu" || engine.dtype !== "float32") {
    throw new UnsupportedError(
      `${place}: ONNX files run on device "cpu" in dtype "float32", got "${engine.device}" and "${engine.dtype}"`,
    );
  }
  const { file, paths } = await readOnnxFile(files, path);
  const config = (await files.list(folder)).includes("config.json")
    ? await readJson(files, files.resolve(folder, "config.json"))
    : {};
  const inputs = fileInputs(place, file);
  const vocabulary = whole(config, ["vocab_size"]) ?? embeddedRows(file, inputs) ?? 2 ** 31;
  const positions = whole(config, ["max_position_embeddings", "n_positions", "n_ctx"]) ?? 2 ** 31;
  const batch = probeBatch(inputs, positions, vocabulary);
  const inspected = await inspect(engine, place, file, inputs, batch, settings);
  const sizes = commonSizes(place, inspected);
  const blueprint: Blueprint = {
    family: "onnx",
    architecture: architectureOf(config),
    layers: inspected.blocks.length,
    ...sizes,
    width: whole(config, ["hidden_size", "n_embd", "d_model"]) ?? sizes.heads * sizes.headDim,
    vocabulary,
    positions,
    tokenTypes: whole(config, ["type_vocab_size"]) ?? 2,
    causal: false,
    padId: Number(config["pad_token_id"] ?? 0),
    endIds: tokenIds.read(config["eos_token_id"] ?? null) ?? [],
    tensors: [],
    canonicalName: () => undefined,
    inputs: [],
    feeds: (given) => ({
      ...feedsOf(inputs, given),
      token_index: new Tensor("int32", [given.size, given.length], arange(given)),
    }),
    continues: false,
    notes: notesOf(inspected),
    build: ({ tap, past }) => {
      if (past) throw new UnsupportedError(`${place}: texts are not continued from kept keys and values`);
      const graph = new FileGraph(file, inputValues(inputs), inspected.seen, {
        batch: batch.size,
        query: batch.length,
      });
      for (const { address, block, sizes: own } of inspected.blocks) {
        block.open(graph, own, (part, value) => tap(`${address}.${part}`, value));
      }
      return Object.fromEntries(inspected.outputs.map((name) => [name, graph.read(name)]));
    },
  };
  const patterns = await provenPatterns(engine, place, blueprint, inspected, batch, settings);
  return { blueprint: { ...blueprint, causal: patterns.every(isCausal) }, paths };
}
