import type { ComputeOptions, Model, ModelInput } from "../models/index.js";
import { checkOptions, knownNames, OptionError, ShapeError, Tensor, wholeNumber } from "../tensor/index.js";
import { AblationTable } from "./ablationTable.js";
import { type Carried, chunksOf, partOf, runJoined, startsOf } from "./parts/joinedRows.js";
import { numbersOf, type PromptMetric } from "./parts/metric.js";
import type { AblationMode } from "./parts/modes.js";
import { editOf, modeNames, perRow, randomHead, setsOutputs } from "./parts/modes.js";
import type { Prompt } from "./parts/prompts.js";
import { promptsOf } from "./parts/prompts.js";
import { rowsOf, type SweepRow } from "./parts/sweepRows.js";
import { sweepSteps } from "./parts/sweepMemo.js";
import { tableRows } from "./parts/tableRows.js";
import { tiled } from "./parts/tiled.js";

export interface AblateOptions {
  readonly metric: PromptMetric;
  /**
   * `"zero"` output; `"mean"` output over all real tokens of the prompts; `"resample"`: the output on the next prompt, of the
   * same length; `"uniform"` or `"bos"` attention; `"zeroQ"`. Default `["zero"]`.
   */
  readonly modes?: readonly AblationMode[];
  /** Default all. */
  readonly layers?: readonly number[];
  /** Default all. */
  readonly heads?: readonly number[];
  /** Random heads per layer, as a null for the modes that set outputs; default 8. */
  readonly randomHeads?: number;
  /** Default 0. */
  readonly seed?: number;
  /** Called after each layer of a prompt, whose part counts as a fraction. */
  readonly onProgress?: (done: number, total: number) => void;
  readonly signal?: NonNullable<ComputeOptions["signal"]>;
}

interface CleanRun {
  readonly metric: number;
  /** 1 where a token is real, [Q]. */
  readonly real: ArrayLike<number>;
  /** Rows that ride together. */
  readonly chunks: readonly (readonly SweepRow[])[];
  /** By address, what each chunk begins with and what else was asked for. */
  readonly kept: Readonly<Record<string, Tensor>>;
}

/**
 * Takes every head out by itself and says what it changes. Heads and modes of all layers ride in one batch that each joins in
 * its own layer, so that a sweep reads the weights once per 64 heads and prompt, and computes only what lies above each head.
 * Interrupted, it keeps what is done: the same call goes on from there.
 *
 *   effect = metric(head out) − metric(as it is), mean over prompts
 *
 * Throws   OptionError, ShapeError on options that do not fit
 * Source   arXiv:1905.10650 §2.3; random heads of as many channels as a head has as the null
 * Example  await ablate(model, prompts, { metric: logitDifference(" Mary", " John"), modes: ["zero", "mean"] })
 */
export async function ablate(
  model: Model,
  inputs: string | readonly string[] | ModelInput,
  options: AblateOptions,
): Promise<AblationTable> {
  const known = ["metric", "modes", "layers", "heads", "randomHeads", "seed", "onProgress", "signal"];
  checkOptions("ablate", options, known);
  const { metric, modes = ["zero"], randomHeads = 8, seed = 0, onProgress, signal } = options;
  const layers = indicesOf("layers", options.layers, model.layers);
  const heads = indicesOf("heads", options.heads, model.heads);
  const wrong = modes.find((mode) => !modeNames.includes(mode));
  if (wrong !== undefined) throw new OptionError(`ablate: unknown mode "${wrong}"${knownNames(wrong, modeNames)}`);
  wholeNumber("ablate", "randomHeads", randomHeads, 0);
  const prompts = promptsOf("ablate", inputs);
  const settings: ComputeOptions = signal ? { signal } : {};

  const rows = rowsOf(layers, heads, modes, randomHeads);
  const carried: Carried = modes.every(setsOutputs) ? ["resid_pre", "attn.z"] : ["resid_pre"];
  const needsOutputs = modes.some((mode) => mode === "mean" || mode === "resample");
  const asked = needsOutputs ? layers.map((layer) => partOf(layer, "attn.z")) : [];
  const clean: CleanRun[] = [];
  for (const [at, prompt] of prompts.entries()) {
    clean.push(await cleanRun(model, { prompt, at, metric, rows, carried, asked, settings }));
  }
  const means = modes.includes("mean") ? meanOutputs(model, clean, layers) : undefined;
  if (modes.includes("resample")) checkLengths(clean);

  const identity = JSON.stringify([
    metric.name,
    modes,
    layers,
    heads,
    randomHeads,
    seed,
    prompts.map(({ key }) => key),
  ]);
  const steps = sweepSteps(model, identity);
  const effects = new Map<SweepRow, number[]>(rows.map((row) => [row, []]));
  for (const [at, { chunks }] of clean.entries()) {
    for (const [number, chunk] of chunks.entries()) {
      const progress = (share: number): void => onProgress?.(at + (number + share) / chunks.length, prompts.length);
      const found = await steps.step(`${at} ${number}`, async () => runRows(at, chunk, progress));
      chunk.forEach((row, i) => effects.get(row)!.push(found[i]));
    }
    onProgress?.(at + 1, prompts.length);
  }
  steps.finish();
  return new AblationTable({
    title: model.name,
    metric: metric.name,
    clean: clean.map((run) => run.metric),
    rows: tableRows(effects, seed),
    seed,
    randomHeads,
    provenance: await model.provenance(),
  });

  /** The effects of some rows on one prompt. */
  async function runRows(
    at: number,
    part: readonly SweepRow[],
    onProgress: (share: number) => void,
  ): Promise<readonly number[]> {
    return runJoined("ablate", model, {
      ...{ prompt: prompts[at], index: at, metric, carried, settings, onProgress },
      starts: clean[at].kept,
      rows: part,
      edits: (layer, own, size) => {
        const other = clean[(at + 1) % clean.length].kept[partOf(layer, "attn.z")];
        const data = { layer, means, others: modes.includes("resample") ? tiled(other, size) : undefined };
        return modes.map((mode) => perRow(editOf(mode, data), maskOf(model, mode, own, size, seed)));
      },
    });
  }
}

function indicesOf(name: string, given: readonly number[] | undefined, count: number): readonly number[] {
  const list = given ?? Array.from({ length: count }, (_, i) => i);
  const wrong = list.find(
    (each, i) => !Number.isInteger(each) || each < 0 || each >= count || list.indexOf(each) !== i,
  );
  if (wrong !== undefined) {
    throw new OptionError(
      `ablate: ${name} must be different whole numbers in 0 … ${count - 1}, got ${list.join(", ")}`,
    );
  }
  return list;
}

interface CleanParts {
  readonly prompt: Prompt;
  /** Of the prompt in the list. */
  readonly at: number;
  readonly metric: PromptMetric;
  readonly rows: readonly SweepRow[];
  readonly carried: Carried;
  readonly asked: readonly string[];
  readonly settings: ComputeOptions;
}

async function cleanRun(
  model: Model,
  { prompt, at, metric, rows, carried, asked, settings }: CleanParts,
): Promise<CleanRun> {
  let [real, chunks]: [ArrayLike<number>, CleanRun["chunks"]] = [[], []];
  const { value, ...kept } = await model.compute(
    prompt.times(1),
    (site) => {
      real = site.batch.attentionMask;
      const written = metric.write(site, [at]);
      chunks = chunksOf(rows, site, written);
      const addresses = [...startsOf(chunks, carried), ...asked];
      return { value: written, ...Object.fromEntries(addresses.map((address) => [address, site.at(address)])) };
    },
    settings,
  );
  return { metric: numbersOf("ablate", metric, value, 1)[0], real, chunks, kept };
}

/** Mean head outputs over all real tokens of all prompts, [L,H,D]; 0 in layers that are not swept. */
function meanOutputs(
  { layers, heads, headDim }: Model,
  runs: readonly CleanRun[],
  swept: readonly number[],
): Tensor<"float32"> {
  const sums = new Float64Array(layers * heads * headDim);
  let count = 0;
  for (const { kept, real } of runs) {
    count += Array.from(real).filter((isReal) => isReal === 1).length;
    for (const layer of swept) {
      const { data } = kept[partOf(layer, "attn.z")];
      for (let i = 0; i < data.length; i++) {
        const token = Math.floor(i / headDim); // of [1,H,Q]
        if (real[token % real.length] === 0) continue;
        sums[(layer * heads + Math.floor(token / real.length)) * headDim + (i % headDim)] += Number(data[i]);
      }
    }
  }
  return new Tensor(
    "float32",
    [layers, heads, headDim],
    Float32Array.from(sums, (sum) => sum / count),
  );
}

function checkLengths(runs: readonly CleanRun[]): void {
  const lengths = runs.map(({ real }) => real.length);
  if (runs.length < 2 || lengths.some((length) => length !== lengths[0])) {
    throw new ShapeError(
      `ablate: "resample" needs at least two prompts of one length, got ${lengths.join(", ")} tokens`,
    );
  }
}

/** What a mode acts on in each row: in the last, which are of its layer, and there in those of this mode. */
function maskOf(
  { heads, headDim }: Model,
  mode: AblationMode,
  own: readonly SweepRow[],
  size: number,
  seed: number,
): Tensor<"bool"> {
  const width = setsOutputs(mode) ? headDim : 1;
  const mask = new Uint8Array(size * heads * width);
  own.forEach((row, i) => {
    if (row.mode !== mode) return;
    const start = (size - own.length + i) * heads * width;
    if (row.kind === "head") mask.fill(1, start + row.head * width, start + (row.head + 1) * width);
    else mask.set(randomHead(seed, row.layer, row.head, heads, headDim), start);
  });
  const shape = setsOutputs(mode) ? [size, heads, headDim] : [size, heads];
  return new Tensor("bool", shape, mask);
}
