import type { Engine, RunSettings } from "../../graph/index.js";
import { Tensor, UnsupportedError } from "../../tensor/index.js";
import { tokenIds } from "../config.js";
import type { Batch, Blueprint, DecoderSide, PictureSide } from "../family.js";
import type { Files } from "../host.js";
import type { JsonObject } from "../json.js";
import { readJson } from "../json.js";
import { feedsOf, fileInputs, inputValues, openLengths } from "./feeds.js";
import { FileGraph } from "./fileGraph.js";
import type { Inspected } from "./inspect.js";
import { inspect } from "./inspect.js";
import { probeBatch, provenPatterns } from "./probe.js";
import { readOnnxFile } from "./readFile.js";
import type { FileReads } from "./reads.js";
import { readsOf, whole } from "./reads.js";
import { fileStacks } from "./stacks.js";

/** A model from an ONNX file. */
export interface OnnxModel {
  readonly blueprint: Blueprint;
  readonly paths: readonly string[];
}

function notesOf({ blocks, not }: Inspected): string[] {
  const forms = new Map<string, string[]>();
  for (const { address, block } of blocks) forms.set(block.form, [...(forms.get(block.form) ?? []), address]);
  return [
    ...[...forms].map(([form, addresses]) => `${addresses.length} attentions found (${form}): ${addresses.join(", ")}`),
    ...not.map(({ node, reason }) => `not opened: ${node}: ${reason}`),
  ];
}

function architectureOf(config: JsonObject): string {
  const named = config["architectures"];
  const first: unknown = Array.isArray(named) ? named[0] : undefined;
  return typeof first === "string" ? `${first} (ONNX)` : "ONNX";
}

/** 0, 1, 2 … in every row, for what is written in place of fused operators. */
function counts({ size, length, decoder }: Batch): Readonly<Record<string, Tensor>> {
  const rows = (columns: number): Tensor =>
    new Tensor(
      "int32",
      [size, columns],
      Int32Array.from({ length: size * columns }, (_, i) => i % columns),
    );
  return { token_index: rows(length), ...(decoder ? { decoder_index: rows(decoder.length) } : {}) };
}

/**
 * The patches of pictures as tokens.
 *
 * Throws   UnsupportedError where a picture has other tokens than its patches and one before them
 */
function pictureSide(place: string, grid: NonNullable<FileReads["grid"]>, tokens: number): PictureSide {
  const { height, width, patchHeight, patchWidth } = grid;
  const patches = Math.floor(height / patchHeight) * Math.floor(width / patchWidth);
  if (tokens !== patches && tokens !== patches + 1) {
    throw new UnsupportedError(
      `${place}: a picture has ${tokens} tokens; expected its ${patches} patches, or one more, the class token`,
    );
  }
  return { grid: { ...grid, hasClass: tokens > patches }, sequence: "prompt" };
}

/** What a decoder reads. A file has no decoder by itself: texts are written by reading the whole file. */
function decoderSide(
  place: string,
  { decoder, features }: FileReads,
  { blocks }: Inspected,
): Pick<Blueprint, "decoder"> {
  if (!decoder) return {};
  const heard = blocks.find(({ address }) => address.startsWith("encoder."))?.sizes.queries;
  if (features && heard !== undefined && heard !== features.frames / 2) {
    throw new UnsupportedError(`${place}: ${features.frames} frames make ${heard} positions; expected half as many`);
  }
  const side: DecoderSide = { ...decoder, startsWithLast: false, ...(features ? { features } : {}) };
  return { decoder: side };
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
  const reads = readsOf(place, file, inputs, config);
  const batch = probeBatch(inputs, reads);
  const inspected = await inspect(engine, place, file, inputs, batch, settings);
  const graphOf: Pick<Blueprint, "family" | "inputs" | "feeds" | "build"> = {
    family: "onnx",
    inputs: [],
    feeds: (given) => ({ ...feedsOf(inputs, given), ...counts(given) }),
    build: ({ tap, past }) => {
      if (past) throw new UnsupportedError(`${place}: texts are not continued from kept keys and values`);
      const graph = new FileGraph(file, inputValues(inputs), inspected.seen, {
        batch: batch.size,
        lengths: openLengths(inputs, batch),
      });
      for (const { address, block, sizes: own } of inspected.blocks) {
        block.open(graph, own, (part, value) => tap(`${address}.${part}`, value));
      }
      return Object.fromEntries(inspected.outputs.map((name) => [name, graph.read(name)]));
    },
  };
  const patterns = await provenPatterns(engine, place, graphOf, inspected, batch, settings);
  const stacks = fileStacks(place, inspected.blocks, patterns, reads.decoder !== undefined);
  // The sizes of a model with a decoder are those of the decoder.
  const own = stacks.find(({ name }) => name === "decoder") ?? stacks[0];
  const pictures = reads.grid && pictureSide(place, reads.grid, inspected.blocks[0].sizes.queries);
  const { layers, heads, kvHeads = heads, headDim } = own;
  const blueprint: Blueprint = {
    ...graphOf,
    ...{ layers, heads, kvHeads, headDim },
    architecture: architectureOf(config),
    width: whole(config, ["hidden_size", "n_embd", "d_model"]) ?? heads * headDim,
    vocabulary: reads.vocabulary,
    positions: pictures ? inspected.blocks[0].sizes.queries : reads.positions,
    tokenTypes: whole(config, ["type_vocab_size"]) ?? 2,
    causal: stacks[0].causal,
    padId: Number(config["pad_token_id"] ?? 0),
    endIds: tokenIds.read(config["eos_token_id"] ?? null) ?? [],
    tensors: [],
    canonicalName: () => undefined,
    continues: false,
    notes: notesOf(inspected),
    ...(reads.decoder ? { stacks } : {}),
    ...(pictures ? { pictures } : {}),
    ...decoderSide(place, reads, inspected),
  };
  return { blueprint, paths };
}
