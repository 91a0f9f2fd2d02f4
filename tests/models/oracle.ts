import { copyFileSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { files } from "../../kernel/lib/host/files.js";
import type { ModelInput, Tensor } from "../../kernel/lib/index.js";
import { openSafetensors, readTensor } from "../../kernel/lib/models/index.js";

export const oracles: string = fileURLToPath(new URL("../oracles/", import.meta.url));

export const encoders: readonly string[] = [
  "bert", "bert_model", "distilbert", "roberta", "deberta_v2", "deberta_plain", "modernbert",
]; // prettier-ignore
export const decoders: readonly string[] = [
  "gpt2", "gpt_neo", "gpt_neox", "llama_rope3", "mistral", "qwen2", "qwen3", "gemma2", "phi3", "opt", "bloom", "falcon",
  "falcon_new", "falcon_alibi", "mixtral", "gemma", "gemma3", "olmo", "olmo2", "granite", "stablelm", "stablelm_parallel",
  "phi", "llama_yarn", "phi3_long", "gpt_oss",
]; // prettier-ignore
/** Models with an encoder and a decoder. */
export const pairs: readonly string[] = ["bart", "mbart", "marian", "pegasus", "t5", "t5_gated", "whisper"];

/** Models that see. */
export const seeing: readonly string[] = ["vit", "dinov2", "dinov2_swiglu", "clip", "siglip", "llava"];

/** A folder with all that was recorded may stand in for the committed part of it. */
const modelsFolder = process.env["ATTENTION_LAB_ORACLES"] ?? join(oracles, "models");

export interface Oracle {
  readonly folder: string;
  readonly tensors: ReadonlyMap<string, Tensor>;
  at(name: string): Tensor;
  readonly ablated: readonly { readonly stack?: string; readonly layer: number; readonly head: number }[];
}

export async function readTensors(path: string): Promise<Map<string, Tensor>> {
  const stored = await openSafetensors(files, path);
  const read = async (name: string): Promise<[string, Tensor]> => [name, await readTensor(files, stored.get(name)!)];
  return new Map(await Promise.all([...stored.keys()].map(read)));
}

export async function readOracle(name: string): Promise<Oracle> {
  const folder = join(modelsFolder, name);
  const tensors = await readTensors(join(folder, "io.safetensors"));
  const meta = JSON.parse(readFileSync(join(folder, "meta.json"), "utf8")) as Pick<Oracle, never> & {
    readonly ablated_heads: Oracle["ablated"];
  };
  return {
    folder,
    tensors,
    at: (key) => {
      const tensor = tensors.get(key);
      if (!tensor) throw new Error(`oracle ${name}: no tensor ${key}`);
      return tensor;
    },
    ablated: meta.ablated_heads,
  };
}

/** The model of an oracle with its config in the older syntax, in a folder of its own. */
export function legacyFolder(oracle: Oracle): { readonly folder: string; readonly remove: () => void } {
  const folder = mkdtempSync(join(tmpdir(), "oracle-"));
  copyFileSync(join(oracle.folder, "config.legacy.json"), join(folder, "config.json"));
  symlinkSync(join(oracle.folder, "model.safetensors"), join(folder, "model.safetensors"));
  return { folder, remove: () => rmSync(folder, { recursive: true }) };
}

/** Token rows of an oracle's batch. */
export function rowsOf({ shape, data }: Tensor): number[][] {
  const [rows, columns] = shape as [number, number];
  return Array.from({ length: rows }, (_, row) =>
    Array.from({ length: columns }, (_, column) => Number(data[row * columns + column])),
  );
}

export function inputOf(oracle: Oracle): {
  inputIds: number[][];
  attentionMask: number[][];
  tokenTypeIds?: number[][];
} {
  const types = oracle.tensors.get("token_type_ids");
  return {
    inputIds: rowsOf(oracle.at("input_ids")),
    attentionMask: rowsOf(oracle.at("attention_mask")),
    ...(types ? { tokenTypeIds: rowsOf(types) } : {}),
  };
}

/** The recorded input of an encoder–decoder model. */
export function pairInputOf(oracle: Oracle): ModelInput {
  const at = (name: string): Tensor => oracle.at(name);
  return {
    ...(oracle.tensors.has("input_features")
      ? { inputFeatures: at("input_features") }
      : { inputIds: rowsOf(at("input_ids")), attentionMask: rowsOf(at("attention_mask")) }),
    decoderInputIds: rowsOf(at("decoder_input_ids")),
    labels: rowsOf(at("labels")),
  };
}

/** The recorded input of any model. */
export function anyInputOf(oracle: Oracle): ModelInput {
  if (oracle.tensors.has("decoder_input_ids")) return pairInputOf(oracle);
  if (!oracle.tensors.has("pixel_values")) return inputOf(oracle);
  const pixelValues = oracle.at("pixel_values");
  return oracle.tensors.has("input_ids") ? { ...inputOf(oracle), pixelValues } : { pixelValues };
}

/** Largest difference in relation to the largest of the numbers expected. */
export function shareDiff(a: Float64Array, expected: Float64Array): number {
  return maxDiff(a, expected) / expected.reduce((max, x) => Math.max(max, Math.abs(x)), 0);
}

export function maxAbsDiff(a: Tensor, b: Tensor): number {
  if (a.shape.join() !== b.shape.join()) throw new Error(`shapes differ: [${a.shape.join()}] and [${b.shape.join()}]`);
  return maxDiff(a.numbers(), b.numbers());
}

/** NaN when any element of either is NaN. */
export function maxDiff(a: Float64Array, b: Float64Array): number {
  return a.reduce((max, x, i) => Math.max(max, Math.abs(x - b[i])), 0);
}

/** [B,H,T,D] in the oracle's layout [B,T,H,D]. */
export function headsLast({ shape, dtype, data }: Tensor): {
  readonly shape: readonly number[];
  readonly data: Float64Array;
} {
  const [batch, heads, length, width] = shape as [number, number, number, number];
  const out = new Float64Array(data.length);
  for (let b = 0, from = 0; b < batch; b++) {
    for (let h = 0; h < heads; h++) {
      for (let t = 0; t < length; t++) {
        for (let d = 0; d < width; d++) out[((b * length + t) * heads + h) * width + d] = Number(data[from++]);
      }
    }
  }
  if (dtype !== "float32") throw new Error(`expected float32, got ${dtype}`);
  return { shape: [batch, length, heads, width], data: out };
}
