import { replace } from "../interventions/index.js";
import type { ComputeOptions, GraphEdit, Model, ModelInput } from "../models/index.js";
import { checkOptions, OptionError, ShapeError, Tensor } from "../tensor/index.js";
import { type Carried, chunksOf, partOf, runJoined, startsOf } from "./parts/joinedRows.js";
import { layersOf } from "./parts/layers.js";
import type { PromptMetric } from "./parts/metric.js";
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
  /** Called after each layer of a pair, whose part counts as a fraction. */
  readonly onProgress?: (done: number, total: number) => void;
  readonly signal?: NonNullable<ComputeOptions["signal"]>;
}

/** One activation of the clean run in the corrupted one. */
interface Patch {
  readonly layer: number;
  /** The head or token. */
  readonly column: number;
}

/**
 * Runs corrupted prompts with one activation of the clean run at a time, and says how much of the metric comes back. Patches of
 * all layers ride in one batch that each joins in its own layer. Interrupted, it keeps what is done: the same call goes on from
 * there.
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
  const part = over === "heads" ? "attn.z" : "resid_pre";
  const carried: Carried = over === "heads" ? ["resid_pre", "attn.z"] : ["resid_pre"];
  const chunks: (readonly (readonly Patch[])[])[] = [];
  const pairs = await runPairs(
    "activationPatching",
    model,
    [clean, corrupted],
    metric,
    (site, value, index) => {
      const columns = over === "heads" ? model.heads : site.batch.length;
      const patches = layers.flatMap((layer) => Array.from({ length: columns }, (_, column) => ({ layer, column })));
      chunks[index] = chunksOf(patches, site, value);
      return { clean: layers.map((layer) => partOf(layer, part)), corrupted: startsOf(chunks[index], carried) };
    },
    settings,
  );
  if (over === "tokens") checkSameLengths(pairs, partOf(layers[0], part));

  const steps = sweepSteps(
    model,
    JSON.stringify(["activationPatching", metric.name, over, layers, pairs.map(({ key }) => key)]),
  );
  const effects: (readonly number[])[][] = [];
  for (const [index, pair] of pairs.entries()) {
    const byLayer = new Map<number, number[]>(layers.map((layer) => [layer, []]));
    for (const [number, patches] of chunks[index].entries()) {
      const progress = (share: number): void =>
        onProgress?.(index + (number + share) / chunks[index].length, pairs.length);
      const found = await steps.step(`${index} ${number}`, async () => patch(pair, index, patches, progress));
      patches.forEach(({ layer, column }, i) => (byLayer.get(layer)![column] = found[i]));
    }
    effects.push(layers.map((layer) => byLayer.get(layer)!));
    onProgress?.(index + 1, pairs.length);
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

  /** What some patches do to the metric of one pair. */
  async function patch(
    { corrupted: prompt, clean: values, stream: starts }: PairRun,
    index: number,
    rows: readonly Patch[],
    onProgress: (share: number) => void,
  ): Promise<readonly number[]> {
    return runJoined("activationPatching", model, {
      ...{ prompt, index, metric, carried, starts, rows, settings, onProgress },
      edits: (layer, own, size): readonly GraphEdit[] => {
        const at = partOf(layer, part);
        const columns = values[at].shape[1];
        const mask = new Uint8Array(size * columns);
        own.forEach(({ column }, i) => (mask[(size - own.length + i) * columns + column] = 1));
        const edit = replace({ at, with: tiled(values[at], size) });
        return [perRow(edit, new Tensor("bool", [size, columns], mask))];
      },
    });
  }
}

function checkSameLengths(pairs: readonly PairRun[], stream: string): void {
  const lengths = pairs.map((pair) => pair.clean[stream].shape[1]);
  if (lengths.some((length) => length !== lengths[0])) {
    throw new ShapeError(
      `activationPatching: over "tokens" needs pairs of one length, got ${lengths.join(", ")} tokens`,
    );
  }
}
