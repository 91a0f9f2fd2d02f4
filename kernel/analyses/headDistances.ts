import { build } from "../graph/index.js";
import type { Model, ModelInput } from "../models/index.js";
import { checkOptions } from "../tensor/index.js";
import { HeadScores } from "./headScores.js";
import { headOptions, settingsOf, type HeadOptions } from "./parts/headOptions.js";
import { lastPositions } from "./parts/metric.js";
import { gridOf } from "./parts/perHead.js";
import { promptsOf } from "./parts/prompts.js";

/**
 * How far each head's output is from the centre of its layer, at the last token: heads that stand apart do a work of their own.
 *
 *   distance   ‖z_h − mean_h′ z_h′‖₂, over the heads of the layer
 *   share      distance over the sum of the layer's distances; 0 where all heads are alike
 *   cosine     of z_h with the centre; NaN where either is 0
 *
 * Source   semantic distance: Task-KV, arXiv:2501.15113
 */
export async function headDistances(
  model: Model,
  inputs: string | readonly string[] | ModelInput,
  options: HeadOptions = {},
): Promise<HeadScores> {
  checkOptions("headDistances", options, headOptions);
  const { seed = 0, onProgress } = options;
  const prompts = promptsOf("headDistances", inputs);
  const measured: Record<"distance" | "share" | "cosine", number[][][]> = { distance: [], share: [], cosine: [] };
  for (const [at, prompt] of prompts.entries()) {
    const found = await model.compute(
      prompt.times(1),
      (site) => {
        const [last] = lastPositions(site);
        return Object.fromEntries(
          Array.from({ length: model.layers }, (_, l) => [
            l,
            build.slice(site.at(`blocks.${l}.attn.z`), 2, last, last + 1),
          ]),
        );
      },
      settingsOf(options),
    );
    const heads = Array.from({ length: model.layers }, (_, l) =>
      Array.from({ length: model.heads }, (_h, h) => Array.from(found[l].slice(0, h, 0).numbers())),
    );
    const centres = heads.map((vectors) =>
      vectors[0].map((_, d) => vectors.reduce((sum, z) => sum + z[d], 0) / vectors.length),
    );
    const distance = gridOf(model, (l, h) => Math.hypot(...heads[l][h].map((x, d) => x - centres[l][d])));
    const sums = distance.map((row) => row.reduce((sum, x) => sum + x, 0));
    measured.distance.push(distance);
    measured.share.push(gridOf(model, (l, h) => (sums[l] === 0 ? 0 : distance[l][h] / sums[l])));
    measured.cosine.push(gridOf(model, (l, h) => cosine(heads[l][h], centres[l])));
    onProgress?.(at + 1, prompts.length);
  }
  const caption = `Distance of heads of ${model.name} from the centre of their layer, ${prompts.length} prompts`;
  return new HeadScores({ caption, measured, seed, provenance: async () => model.provenance() });
}

function cosine(a: readonly number[], b: readonly number[]): number {
  const size = Math.hypot(...a) * Math.hypot(...b);
  return size === 0 ? NaN : a.reduce((sum, x, i) => sum + x * b[i], 0) / size;
}
