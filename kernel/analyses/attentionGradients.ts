import { build, gradients } from "../graph/index.js";
import type { Model, ModelInput } from "../models/index.js";
import { checkOptions } from "../tensor/index.js";
import { HeadScores } from "./headScores.js";
import { headOptions, settingsOf, type HeadOptions } from "./parts/headOptions.js";
import type { PromptMetric } from "./parts/metric.js";
import { gridOf } from "./parts/perHead.js";
import { promptsOf } from "./parts/prompts.js";
import { promptLoss } from "./promptLoss.js";

export interface AttentionGradientOptions extends HeadOptions {
  /** What is differentiated: `promptLoss()` when left out. */
  readonly metric?: PromptMetric;
}

/**
 * Attention times its gradient, summed for every head: how much of a metric hangs on where the head looks.
 *
 *   size       Σ_{q,k} |A ∘ ∂m/∂A|
 *   positive   Σ_{q,k} max(A ∘ ∂m/∂A, 0), what raises the metric
 *   total      Σ_{q,k} A ∘ ∂m/∂A
 *   on first   the share of `size` on key 0, where sinks are; NaN where `size` is 0
 *
 * Source   A ∘ ∂m/∂A and its positive part: arXiv:2103.15679 §3 eq. 5
 */
export async function attentionGradients(
  model: Model,
  inputs: string | readonly string[] | ModelInput,
  options: AttentionGradientOptions = {},
): Promise<HeadScores> {
  checkOptions("attentionGradients", options, [...headOptions, "metric"]);
  const { metric = promptLoss(), seed = 0, onProgress } = options;
  const prompts = promptsOf("attentionGradients", inputs);
  const names = ["size", "positive", "total", "on first"] as const;
  const measured = Object.fromEntries(names.map((name) => [name, [] as number[][][]]));
  for (const [index, prompt] of prompts.entries()) {
    const found = await model.compute(
      prompt.times(1),
      (site) => {
        const patterns = Array.from({ length: model.layers }, (_, l) => site.at(`blocks.${l}.attn.pattern`));
        const derivatives = gradients(build.reduceSum(metric.write(site, [index])), patterns);
        const parts = patterns.flatMap((pattern, l) => {
          const product = build.mul(pattern, derivatives[l]); // [1,H,Q,K]
          const size = build.abs(product);
          return [
            [`${l} size`, build.reduceSum(size, [0, 2, 3])],
            [`${l} positive`, build.reduceSum(build.relu(product), [0, 2, 3])],
            [`${l} total`, build.reduceSum(product, [0, 2, 3])],
            [`${l} first`, build.reduceSum(build.slice(size, 3, 0, 1), [0, 2, 3])],
          ] as const;
        });
        return Object.fromEntries(parts);
      },
      settingsOf(options),
    );
    for (const name of ["size", "positive", "total"]) {
      measured[name].push(gridOf(model, (l, h) => found[`${l} ${name}`].item(h)));
    }
    measured["on first"].push(gridOf(model, (l, h) => found[`${l} first`].item(h) / found[`${l} size`].item(h)));
    onProgress?.(index + 1, prompts.length);
  }
  const caption = `Attention × gradient of ${metric.name}, heads of ${model.name}, ${prompts.length} prompts`;
  return new HeadScores({ caption, measured, seed, provenance: async () => model.provenance() });
}
