import { replace } from "../interventions/index.js";
import type { ComputeOptions, GraphEdit, Model, ModelInput } from "../models/index.js";
import { checkOptions, OptionError, ShapeError, Tensor } from "../tensor/index.js";
import { streamOf } from "./parts/joinedRows.js";
import { layersOf } from "./parts/layers.js";
import { numbersOf, type PromptMetric } from "./parts/metric.js";
import { perRow } from "./parts/modes.js";
import { runPairs, type PairRun } from "./parts/pairs.js";
import { sharesOf } from "./parts/shares.js";
import { sweepSteps } from "./parts/sweepMemo.js";
import { tiled } from "./parts/tiled.js";
import { PatchingMap } from "./patchingMap.js";

export interface PatchingOptions {
  readonly metric: PromptMetric;
  /** `"heads"`: the output of each head; `"tokens"`: the residual stream before each layer, at each token. */
  readonly over: "heads" | "tokens";
  /** Default all. */
  readonly layers?: readonly number[];
  readonly onProgress?: (done: number, total: number) => void;
  readonly signal?: NonNullable<ComputeOptions["signal"]>;
}

/**
 * Runs corrupted prompts with one activation of the clean run at a time, and says how much of the metric comes back. All
 * patches of a layer ride in one batch that starts from the corrupted residual stream before it. Interrupted, it keeps what is
 * done: the same call goes on from there.
 *
 *   recovery = (m_patched − m_corrupted) / (m_clean − m_corrupted)
 *
 * Range    1 brings all back, 0 nothing; undefined, and said so, where clean and corrupted metric are the same
 * Throws   ShapeError unless each pair of prompts has one length
 * Source   arXiv:2202.05262 §2.1, arXiv:2309.16042 §2
 */
export async function activationPatching(
  model: Model,
  clean: string | readonly string[] | ModelInput,
  corrupted: string | readonly string[] | ModelInput,
  options: PatchingOptions,
): Promise<PatchingMap> {
  checkOptions("activationPatching", options, ["metric", "over", "layers", "onProgress", "signal"]);
  const { metric, over, onProgress, signal } = options;
  const layers = layersOf("activationPatching", model, options.layers);
  if (over !== "heads" && over !== "tokens") {
    throw new OptionError(`activationPatching: over must be "heads" or "tokens", got "${String(over)}"`);
  }
  const settings: ComputeOptions = signal ? { signal } : {};
  const streams = layers.map(streamOf);
  const patches = over === "heads" ? layers.map((layer) => `blocks.${layer}.attn.z`) : streams;
  const kept = { clean: patches, corrupted: streams };
  const pairs = await runPairs("activationPatching", model, [clean, corrupted], metric, kept, settings);
  if (over === "tokens") checkSameLengths(pairs, streams[0]);

  const steps = sweepSteps(
    model,
    JSON.stringify(["activationPatching", metric.name, over, pairs.map(({ key }) => key)]),
  );
  const effects: (readonly number[])[][] = pairs.map(() => []);
  let done = 0;
  for (const layer of layers) {
    for (const [index, pair] of pairs.entries()) {
      const patched = await steps.step(`${layer} ${index}`, async () => patch(layer, index, pair));
      effects[index].push(patched);
      onProgress?.(++done, layers.length * pairs.length);
    }
  }
  steps.finish();
  const ends = pairs.map(({ metric: { clean: to, corrupted: from } }) => ({ from, to }));
  const { shares, undefinedPairs } = sharesOf(ends, effects);
  return new PatchingMap({
    title: model.name,
    metric: metric.name,
    column: over === "heads" ? "head" : "token",
    layers,
    recovery: shares,
    effects,
    clean: pairs.map((pair) => pair.metric.clean),
    corrupted: pairs.map((pair) => pair.metric.corrupted),
    undefinedPairs,
    provenance: await model.provenance(),
  });

  /** What every patch in one layer does to the metric of one pair. */
  async function patch(layer: number, index: number, pair: PairRun): Promise<readonly number[]> {
    const { count, edits } = over === "heads" ? headPatches(model, layer, pair) : tokenPatches(layer, pair);
    const { value } = await model.compute(
      pair.corrupted.times(count),
      (site) => ({ value: metric.write(site, new Array<number>(count).fill(index)) }),
      { ...settings, interventions: edits },
    );
    const [untouched, ...patched] = numbersOf("activationPatching", metric, value, count);
    return patched.map((each) => each - untouched);
  }
}

interface Patches {
  /** Rows of the batch: the first is left alone. */
  readonly count: number;
  readonly edits: readonly GraphEdit[];
}

function headPatches({ heads }: Model, layer: number, { clean, stream }: PairRun): Patches {
  const count = heads + 1;
  const mask = new Uint8Array(count * heads);
  for (let head = 0; head < heads; head++) mask[(head + 1) * heads + head] = 1;
  const at = `blocks.${layer}.attn.z`;
  const start = streamOf(layer);
  return {
    count,
    edits: [
      replace({ at: start, with: tiled(stream[start], count) }),
      perRow(replace({ at, with: tiled(clean[at], count) }), new Tensor("bool", [count, heads], mask)),
    ],
  };
}

function tokenPatches(layer: number, { clean, stream }: PairRun): Patches {
  const at = streamOf(layer);
  const [, length, width] = stream[at].shape;
  const rows = tiled(stream[at], length + 1);
  for (let t = 0; t < length; t++) {
    rows.data.set(clean[at].slice(0, t).data as Float32Array, ((t + 1) * length + t) * width);
  }
  return { count: length + 1, edits: [replace({ at, with: rows })] };
}

function checkSameLengths(pairs: readonly PairRun[], stream: string): void {
  const lengths = pairs.map((pair) => pair.stream[stream].shape[1]);
  if (lengths.some((length) => length !== lengths[0])) {
    throw new ShapeError(
      `activationPatching: over "tokens" needs pairs of one length, got ${lengths.join(", ")} tokens`,
    );
  }
}
