import type { Engine, RunSettings } from "../../graph/index.js";
import { Tensor, UnsupportedError } from "../../tensor/index.js";
import type { Batch, Blueprint, DecoderBatch } from "../family.js";
import { forward } from "../forward.js";
import { cutPatches } from "../patches.js";
import { picturesOnly } from "../pictureInput.js";
import type { FileInput } from "./feeds.js";
import type { Inspected } from "./inspect.js";
import { relativeError } from "./proof.js";
import type { FileReads } from "./reads.js";

/** Roundings of the explicit form against a fused operator stay below this. */
const tolerance = 1e-3;
/** Lengths in the first run, of prompts and of what a decoder reads: no usual size of a head or number of heads. */
const probeLength = 11;
const writtenLength = 7;

/** Numbers about as pixels and sounds are, no two alike. */
function waves(shape: readonly number[]): Tensor {
  const size = shape.reduce((product, dim) => product * dim, 1);
  return new Tensor(
    "float32",
    shape,
    Float32Array.from({ length: size }, (_, i) => Math.sin(0.7 * i * (1 + i / size))),
  );
}

/** A batch that tells sizes apart: two prompts, the second with padding at its end where it is a text. */
export function probeBatch(
  inputs: readonly FileInput[],
  { vocabulary, positions, grid, features, decoder }: FileReads,
): Batch {
  const fixed = (...roles: readonly FileInput["role"][]): readonly (number | undefined)[] =>
    inputs.find(({ role }) => roles.includes(role))!.shape.map((dim) => (typeof dim === "number" ? dim : undefined));
  const [size = 2, length = Math.min(probeLength, positions)] = fixed("ids", "pixels", "features");
  if (grid) {
    const { channels, height, width } = grid;
    return picturesOnly(cutPatches(waves([size, channels, height, width]), { ...grid, hasClass: true }, "the file"))
      .batch;
  }
  const rows = (columns: number, of: (b: number, t: number) => number): Int32Array =>
    Int32Array.from({ length: size * columns }, (_, i) => of(Math.floor(i / columns), i % columns));
  const ids = (b: number, t: number): number => (7 * t + 3 * b + 1) % Math.min(vocabulary, 50);
  const written = (): DecoderBatch => {
    const [, columns = Math.min(writtenLength, decoder!.positions)] = fixed("decoderIds");
    return {
      length: columns,
      inputIds: rows(columns, ids),
      attentionMask: rows(columns, () => 1),
      labels: rows(columns, () => -1),
    };
  };
  const pair = decoder ? { decoder: written() } : {};
  if (features) {
    const heard = features.frames / 2;
    const blank = { inputIds: rows(heard, () => 0), tokenTypeIds: rows(heard, () => 0) };
    const sounds = waves([size, features.bins, features.frames]);
    return { size, length: heard, ...blank, attentionMask: rows(heard, () => 1), features: sounds, ...pair };
  }
  return {
    ...{ size, length, ...pair },
    inputIds: rows(length, ids),
    attentionMask: rows(length, (b, t) => (b === 1 && t >= length - 3 ? 0 : 1)),
    tokenTypeIds: rows(length, () => 0),
  };
}

/** Whether no query of the first text weighs a key behind it. */
export function isCausal(pattern: Tensor): boolean {
  const [, heads, queries, keys] = pattern.shape;
  if (queries !== keys) return false;
  const numbers = pattern.numbers();
  for (let i = 0; i < heads * queries * keys; i++) {
    if (i % keys > Math.floor(i / keys) % queries && numbers[i] !== 0) return false;
  }
  return true;
}

/** The patterns of the first run; operators that were opened are held to what the file itself gave. */
export async function provenPatterns(
  engine: Engine,
  place: string,
  blueprint: Pick<Blueprint, "family" | "inputs" | "build" | "feeds">,
  { blocks, seen, outputs }: Inspected,
  batch: Batch,
  settings: RunSettings,
): Promise<readonly Tensor[]> {
  if (blocks.every(({ block }) => block.pattern !== undefined)) {
    // Where older exporters fold heads into the batch, rows are the prompt's all the same.
    return blocks.map(({ block, sizes: { heads, queries, keys } }) => {
      const { data } = seen.get(block.pattern!)!;
      return new Tensor(
        "float32",
        [data.length / (heads * queries * keys), heads, queries, keys],
        Float32Array.from(data as Float32Array),
      );
    });
  }
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
