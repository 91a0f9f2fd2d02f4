import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Model } from "../../kernel/lib/index.js";
import { encodeSafetensors, load, Tensor } from "../../kernel/lib/index.js";
import { readOracle, readTensors } from "../models/oracle.js";

/** Writes into the weights of one name, row by row. */
export type Plant = (name: string, data: Float32Array) => void;

export interface PlantedModel {
  readonly model: Model;
  readonly remove: () => Promise<void>;
}

/** The tiny GPT-2 (3 layers, 4 heads of 12, width 48) with other weights, in a folder of its own. */
export async function plantedModel(plant: Plant): Promise<PlantedModel> {
  const { folder } = await readOracle("gpt2");
  const copy = mkdtempSync(join(tmpdir(), "planted-"));
  cpSync(folder, copy, { recursive: true });
  const tensors = [...(await readTensors(join(folder, "model.safetensors")))].map(([name, { shape, data }]) => {
    const own = Float32Array.from(data as Float32Array);
    plant(name, own);
    return [name, new Tensor("float32", shape, own)] as const;
  });
  writeFileSync(join(copy, "model.safetensors"), encodeSafetensors(Object.fromEntries(tensors), { format: "pt" }));
  const model = await load(copy);
  return {
    model,
    remove: async () => {
      await model.dispose();
      rmSync(copy, { recursive: true });
    },
  };
}

export const [width, headDim, dimension] = [48, 12, 5];

/** Token 0 has one huge dimension; every query asks for it, every key answers with it. */
export const plantSink: Plant = (name, data) => {
  if (/ln_1\.weight$/.test(name)) data.fill(1);
  if (/ln_1\.bias$/.test(name)) data.fill(0);
  if (/wte\.weight$/.test(name)) for (let i = dimension; i < data.length; i += width) data[i] = 0;
  if (/wpe\.weight$/.test(name)) {
    for (let i = dimension; i < data.length; i += width) data[i] = 0;
    data[dimension] = 1e5;
  }
  const isFirst = (column: number): boolean => column % headDim === 0;
  if (/c_attn\.bias$/.test(name)) for (let c = 0; c < 2 * width; c++) data[c] = c < width && isFirst(c) ? 10 : 0;
  if (/c_attn\.weight$/.test(name)) {
    for (let r = 0; r < width; r++)
      for (let c = 0; c < 2 * width; c++) {
        data[r * 3 * width + c] = c >= width && isFirst(c) && r === dimension ? 10 : 0;
      }
  }
};

/** Queries are zero: attention is even. */
export const plantEven: Plant = (name, data) => {
  if (/c_attn\.bias$/.test(name)) data.fill(0, 0, width);
  if (/c_attn\.weight$/.test(name)) for (let r = 0; r < width; r++) data.fill(0, r * 3 * width, r * 3 * width + width);
};

/** Values are zero: a head that looks at token 0 does nothing at all. */
export const plantDrained: Plant = (name, data) => {
  plantSink(name, data);
  if (/c_attn\.bias$/.test(name)) data.fill(0, 2 * width);
  if (/c_attn\.weight$/.test(name)) {
    for (let r = 0; r < width; r++) data.fill(0, r * 3 * width + 2 * width, (r + 1) * 3 * width);
  }
};

/** Even attention; token 0 is massive in one dimension, and so is the token at another position, if one is given. */
export const plantImage =
  (position?: number): Plant =>
  (name, data) => {
    plantEven(name, data);
    if (!/wpe\.weight$/.test(name)) return;
    for (let i = dimension; i < data.length; i += width) data[i] = 0;
    data[dimension] = 1e5;
    if (position !== undefined) data[position * width + dimension] = -1e5;
  };
