import { build, gradients } from "../graph/index.js";
import type { Model, ModelInput } from "../models/index.js";
import { checkOptions } from "../tensor/index.js";
import type { Provenance } from "../views/index.js";
import { ablate } from "./ablate.js";
import { HeadScores } from "./headScores.js";
import { headOptions, settingsOf, type HeadOptions } from "./parts/headOptions.js";
import type { PromptMetric } from "./parts/metric.js";
import { gridOf } from "./parts/perHead.js";
import { promptsOf } from "./parts/prompts.js";
import { meanOf } from "./parts/statistics.js";
import { promptLoss } from "./promptLoss.js";

export interface HeadImportanceOptions extends Omit<HeadOptions, "interventions"> {
  /** What is differentiated: `promptLoss()` when left out. */
  readonly metric?: PromptMetric;
  /** Whether every head is also taken out by itself, to compare: default true. */
  readonly exact?: boolean;
}

/**
 * How much a metric depends on every head, from one derivative per prompt; beside it what taking the head out does.
 *
 *   gradient     |∂L/∂ξ_h| at ξ = 1 = |Σ z_h · ∂L/∂z_h|, ξ_h the gate on the head's output; mean over prompts
 *   per layer    I_h / √Σ_{h′ in the layer} I_h′², of the means
 *   scaled       per layer, then (I − min) / (max − min) over all heads
 *   exact        |L without the head − L|, mean over prompts
 *
 * Range    per layer and scaled are of the mean over prompts, and the same on every prompt
 * Source   arXiv:1905.10650 §4.1; the two scalings: transformers' run_bertology
 * Differs  one prompt at a time, so that E|·| is what is averaged; run_bertology sums gradients that it never sets to zero
 */
export async function headImportance(
  model: Model,
  inputs: string | readonly string[] | ModelInput,
  options: HeadImportanceOptions = {},
): Promise<HeadScores> {
  checkOptions("headImportance", options, [
    ...headOptions.filter((name) => name !== "interventions"),
    "metric",
    "exact",
  ]);
  const { metric = promptLoss(), exact = true, seed = 0, onProgress, signal } = options;
  const prompts = promptsOf("headImportance", inputs);
  const total = prompts.length + (exact ? prompts.length * model.layers : 0);
  const gradient: number[][][] = [];
  for (const [index, prompt] of prompts.entries()) {
    const found = await model.compute(
      prompt.times(1),
      (site) => {
        const zs = Array.from({ length: model.layers }, (_, l) => site.at(`blocks.${l}.attn.z`));
        const derivatives = gradients(build.reduceSum(metric.write(site, [index])), zs);
        return Object.fromEntries(zs.map((z, l) => [l, build.reduceSum(build.mul(z, derivatives[l]), [0, 2, 3])]));
      },
      settingsOf(options),
    );
    gradient.push(gridOf(model, (l, h) => Math.abs(found[l].item(h))));
    onProgress?.(index + 1, total);
  }
  const mean = gridOf(model, (l, h) => meanOf(gradient.map((found) => found[l][h])));
  const perLayer = mean.map((row) => row.map((x) => x / (Math.hypot(...row) + 1e-20)));
  const all = perLayer.flat();
  const [low, high] = [Math.min(...all), Math.max(...all)];
  const scaled = perLayer.map((row) => row.map((x) => (high === low ? NaN : (x - low) / (high - low))));
  const measured = {
    gradient,
    "per layer": prompts.map(() => perLayer),
    scaled: prompts.map(() => scaled),
  };
  const caption = `Importance of heads of ${model.name} for ${metric.name}, ${prompts.length} prompts`;
  const provenance = async (): Promise<Provenance> => model.provenance();
  if (!exact) return new HeadScores({ caption, measured, seed, provenance });
  const table = await ablate(model, inputs, {
    metric,
    randomHeads: 0,
    onProgress: (done) => onProgress?.(prompts.length + done, total),
    ...(signal ? { signal } : {}),
  });
  const effects = prompts.map((_, p) => gridOf(model, (l, h) => Math.abs(table.at(l, h).perPrompt[p])));
  return new HeadScores({ caption, measured: { ...measured, exact: effects }, seed, provenance });
}
