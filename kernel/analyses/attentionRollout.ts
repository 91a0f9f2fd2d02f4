import type { Model, ModelInput } from "../models/index.js";
import { checkOptions } from "../tensor/index.js";
import { headOptions, type HeadOptions } from "./parts/headOptions.js";
import { mixedAttention } from "./parts/mixedAttention.js";
import { promptsOf } from "./parts/prompts.js";
import { TokenFlow, type FlowSample } from "./tokenFlow.js";

/**
 * From which input tokens each position is made, if attention were all that moved anything.
 *
 *   R_l = Â_l R_{l−1}, R_{−1} = I, Â = (mean_h A + I) / its row sums
 *
 * Range    rows sum to 1; a model with sink logits loses their mass before rows are scaled
 * Source   arXiv:2005.00928 §3.1
 */
export async function attentionRollout(
  model: Model,
  inputs: string | readonly string[] | ModelInput,
  options: Omit<HeadOptions, "seed"> = {},
): Promise<TokenFlow> {
  checkOptions("attentionRollout", options, headOptions.filter((name) => name !== "seed")); // prettier-ignore
  const prompts = promptsOf("attentionRollout", inputs);
  const samples: FlowSample[] = [];
  for (const [at, prompt] of prompts.entries()) {
    const { tokens, layers } = await mixedAttention(model, prompt, options);
    const all: Float64Array[][] = [];
    for (const mixed of layers) all.push(rolled(mixed, all.at(-1)));
    samples.push({ tokens, layers: all });
    options.onProgress?.(at + 1, prompts.length);
  }
  const layers = Array.from({ length: model.layers }, (_, l) => l);
  const caption = `Attention rollout of ${model.name}, ${prompts.length} prompts`;
  return new TokenFlow({ caption, layers, samples });
}

/** Â R, or Â itself in the first layer. */
export function rolled(mixed: readonly Float64Array[], before: readonly Float64Array[] | undefined): Float64Array[] {
  if (!before) return mixed.map((row) => row.slice());
  return mixed.map((row) => {
    const out = new Float64Array(row.length);
    row.forEach((share, t) => {
      if (share === 0) return;
      const other = before[t];
      for (let k = 0; k < out.length; k++) out[k] += share * other[k];
    });
    return out;
  });
}
