import type { Batch, Model } from "../../models/index.js";
import { build } from "../../graph/index.js";
import { settingsOf, type HeadOptions } from "./headOptions.js";
import type { Prompt } from "./prompts.js";

/** The attention of one prompt with the residual stream beside it, layer by layer, over its real tokens. */
export interface MixedAttention {
  readonly tokens: readonly string[];
  /** By layer, [query][key]; rows sum to 1. */
  readonly layers: readonly (readonly Float64Array[])[];
}

/**
 * How each layer mixes positions when heads are taken together and the residual stream counts as much as they do.
 *
 *   Â = (mean_h A + I) / its row sums
 *
 * Source   arXiv:2005.00928 §3
 */
export async function mixedAttention(model: Model, prompt: Prompt, options: HeadOptions): Promise<MixedAttention> {
  let batch: Batch | undefined;
  let labels: readonly string[] = [];
  const found = await model.compute(
    prompt.times(1),
    (site) => {
      batch = site.batch;
      [labels] = site.tokens;
      const mean = (l: number) => build.reduceMean(site.at(`blocks.${l}.attn.pattern`), [1]);
      return Object.fromEntries(Array.from({ length: model.layers }, (_, l) => [l, mean(l)]));
    },
    settingsOf(options),
  );
  const { attentionMask, length } = batch!;
  const real = Array.from({ length }, (_, t) => t).filter((t) => attentionMask[t] === 1);
  const layers = Array.from({ length: model.layers }, (_, l) => {
    const all = found[l].numbers();
    return real.map((q, row) => {
      const mixed = Float64Array.from(real, (k, column) => all[q * length + k] + (row === column ? 1 : 0));
      const sum = mixed.reduce((total, x) => total + x, 0);
      return mixed.map((x) => x / sum);
    });
  });
  return { tokens: real.map((t) => labels[t]), layers };
}
