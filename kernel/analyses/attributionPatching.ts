import type { Value } from "../graph/index.js";
import { build, gradients, substitute } from "../graph/index.js";
import type { ComputeOptions, Model, ModelInput } from "../models/index.js";
import { checkOptions } from "../tensor/index.js";
import { activationPatching } from "./activationPatching.js";
import { correlationOf } from "./parts/correlation.js";
import type { PromptMetric } from "./parts/metric.js";
import { hasHead, onceForKind } from "./parts/metricKinds.js";
import { checkPair, pairsOf } from "./parts/pairs.js";
import { meanOf } from "./parts/statistics.js";
import { sweepSteps } from "./parts/sweepMemo.js";

export interface AttributionPatchingOptions {
  readonly metric: PromptMetric;
  /** Layers in which every head is patched exactly as well, to say how good the estimate is: default the first and the last. */
  readonly checkedLayers?: readonly number[];
  readonly onProgress?: (done: number, total: number) => void;
  readonly signal?: NonNullable<ComputeOptions["signal"]>;
}

export interface AttributionPatchingResult {
  /** [layer][head]: the estimated change of the metric, mean over pairs. */
  readonly effects: readonly (readonly number[])[];
  /** [pair][layer][head] */
  readonly perPair: readonly (readonly (readonly number[])[])[];
  /** Correlation of estimated and exact effects over the heads and pairs of the checked layers; NaN where either is constant. */
  readonly correlation: number;
  readonly checkedLayers: readonly number[];
}

/**
 * Estimates what patching each head's output would do, all heads from one derivative per pair, and checks the estimate
 * against exact patching in some layers. A pair costs the clean pass up to the last heads, the corrupted one, and its derivative.
 * Interrupted, it keeps what is done: the same call goes on from there.
 *
 *   effect = Σ (z_clean − z_corrupted) · ∂m/∂z_corrupted
 *
 * Range    first order: exact where the metric is linear in a head's output
 * Throws   ShapeError unless each pair of prompts has one length
 * Source   Nanda, "Attribution Patching" (2023); arXiv:2310.10348
 */
export async function attributionPatching(
  model: Model,
  clean: string | readonly string[] | ModelInput,
  corrupted: string | readonly string[] | ModelInput,
  options: AttributionPatchingOptions,
): Promise<AttributionPatchingResult> {
  checkOptions("attributionPatching", options, ["metric", "checkedLayers", "onProgress", "signal"]);
  const { metric, checkedLayers = [...new Set([0, model.layers - 1])], onProgress, signal } = options;
  const settings: ComputeOptions = signal ? { signal } : {};
  const layers = Array.from({ length: model.layers }, (_, l) => l);
  const outputs = layers.map((layer) => `blocks.${layer}.attn.z`);
  const [prompts, twins] = pairsOf("attributionPatching", [clean, corrupted]);

  const keys = prompts.map(({ key }, index) => `${key} ${twins[index].key}`);
  const steps = sweepSteps(model, JSON.stringify(["attributionPatching", metric.name, keys]));
  const total = prompts.length * (1 + checkedLayers.length);
  const perPair: (readonly number[])[][] = [];
  for (const index of prompts.keys()) {
    const found = await steps.step(`${index}`, async () => estimate(index));
    perPair.push(layers.map((layer) => found.slice(layer * model.heads, (layer + 1) * model.heads)));
    onProgress?.(index + 1, total);
  }
  const exact =
    checkedLayers.length > 0
      ? await activationPatching(model, clean, corrupted, {
          ...settings,
          metric,
          over: "heads",
          layers: checkedLayers,
          onProgress: (done) => onProgress?.(prompts.length + done * checkedLayers.length, total),
        })
      : undefined;
  steps.finish();
  const estimated = perPair.flatMap((pair) => checkedLayers.flatMap((layer) => pair[layer]));
  return {
    effects: layers.map((layer) =>
      perPair[0][layer].map((_, head) => meanOf(perPair.map((pair) => pair[layer][head]))),
    ),
    perPair,
    correlation: exact ? correlationOf(estimated, exact.effects.flat(2)) : NaN,
    checkedLayers,
  };

  /** The estimate of one pair, head by head. */
  async function estimate(index: number): Promise<readonly number[]> {
    let length = 0;
    const untouched = await model.compute(
      prompts[index].times(1),
      ({ at, batch }) => {
        length = batch.length;
        return Object.fromEntries(outputs.map((address) => [address, at(address)]));
      },
      { ...settings, repeated: true },
    );
    const found = await model.compute(
      twins[index].times(1),
      (site) => {
        checkPair("attributionPatching", index, length, site.batch.length);
        const zs = outputs.map((address) => site.at(address));
        const others = zs.map((z, layer) => site.feed(`clean ${layer}`, untouched[outputs[layer]], z.shape));
        const effects = (value: Value): Readonly<Record<string, Value>> => {
          const derivatives = gradients(value, zs);
          const effect = (z: Value, layer: number): Value =>
            build.reduceSum(build.mul(build.sub(others[layer], z), derivatives[layer]), [0, 2, 3]); // [H]
          return { effects: build.concat(zs.map(effect), 0) };
        };
        if (!hasHead(site)) return effects(build.reduceSum(metric.write(site, [index])));
        return onceForKind("attributionPatching", site, metric, index, ({ written, apart }) =>
          effects(substitute(written, new Map([[apart, site.at("ln_final")]]))),
        );
      },
      { ...settings, repeated: true },
    );
    return Array.from(found["effects"].numbers());
  }
}
