import { build, gradients } from "../graph/index.js";
import type { Batch, Model, ModelInput } from "../models/index.js";
import { checkOptions, knownNames, OptionError } from "../tensor/index.js";
import { HeadScores } from "./headScores.js";
import { correlationOf, ranksOf } from "./parts/correlation.js";
import { headOptions, settingsOf, type HeadOptions } from "./parts/headOptions.js";
import { lastPositions, type PromptMetric } from "./parts/metric.js";
import { gridOf } from "./parts/perHead.js";
import { promptsOf } from "./parts/prompts.js";
import { promptLoss } from "./promptLoss.js";

export interface SaliencyOptions extends HeadOptions {
  /** What is differentiated: `promptLoss()` when left out. */
  readonly metric?: PromptMetric;
  /** ‖∂m/∂x‖₂ of a token (default), or |x · ∂m/∂x|. */
  readonly of?: "gradient" | "gradient × input";
}

/** Saliency of the tokens of every prompt, and how far each head's attention agrees with it. */
export interface Saliency {
  /** By prompt and token, padding left out. */
  readonly tokens: readonly (readonly { readonly token: string; readonly saliency: number }[])[];
  readonly agreement: HeadScores;
}

/**
 * Which tokens a metric depends on, by its gradient at what the first block reads; and whether heads look there.
 *
 *   saliency         ‖∂m/∂x_t‖₂, or |x_t · ∂m/∂x_t|
 *   agreement        between the attention of the last token and the saliency, over the tokens it sees:
 *     correlation      Pearson's; NaN where either is constant
 *     rank             Spearman's
 *     share explained  the square of the correlation, the share of the saliency's variance that a line of the attention explains
 *
 * Throws   OptionError on an unknown kind
 * Source   arXiv:1902.10186 §4.1 (agreement of attention with gradients; it has Kendall's τ, ranks here are Spearman's)
 */
export async function saliency(
  model: Model,
  inputs: string | readonly string[] | ModelInput,
  options: SaliencyOptions = {},
): Promise<Saliency> {
  checkOptions("saliency", options, [...headOptions, "metric", "of"]);
  const { metric = promptLoss(), of = "gradient", seed = 0, onProgress } = options;
  const kinds = ["gradient", "gradient × input"];
  if (!kinds.includes(of)) throw new OptionError(`saliency: unknown kind "${String(of)}"${knownNames(of, kinds)}`);
  const prompts = promptsOf("saliency", inputs);
  const tokens: { token: string; saliency: number }[][] = [];
  const measured: Record<string, number[][][]> = { correlation: [], rank: [], "share explained": [] };
  for (const [index, prompt] of prompts.entries()) {
    let batch: Batch | undefined;
    let labels: readonly string[] = [];
    const found = await model.compute(
      prompt.times(1),
      (site) => {
        batch = site.batch;
        [labels] = site.tokens;
        const x = site.at("blocks.0.resid_pre");
        const [slope] = gradients(build.reduceSum(metric.write(site, [index])), [x]);
        const product = build.mul(slope, of === "gradient" ? slope : x);
        const sum = build.reduceSum(product, [0, 2]); // [Q]
        const [last] = lastPositions(site);
        const rows = Array.from(
          { length: model.layers },
          (_, l) => [l, build.slice(site.at(`blocks.${l}.attn.pattern`), 2, last, last + 1)] as const,
        );
        return { ...Object.fromEntries(rows), saliency: of === "gradient" ? build.sqrt(sum) : build.abs(sum) };
      },
      settingsOf(options),
    );
    const real = Array.from(batch!.attentionMask).flatMap((isReal, t) => (isReal === 1 ? [t] : []));
    const all = real.map((t) => found["saliency"].item(t));
    const agreed = gridOf(model, (l, h) => {
      const row = found[l].slice(0, h, 0).numbers();
      return correlationOf(real.map((t) => row[t]), all); // prettier-ignore
    });
    const ranks = ranksOf(all);
    tokens.push(real.map((t, i) => ({ token: labels[t], saliency: all[i] })));
    measured["correlation"].push(agreed);
    measured["share explained"].push(agreed.map((row) => row.map((r) => r * r)));
    measured["rank"].push(
      gridOf(model, (l, h) => {
        const row = found[l].slice(0, h, 0).numbers();
        return correlationOf(ranksOf(real.map((t) => row[t])), ranks);
      }),
    );
    onProgress?.(index + 1, prompts.length);
  }
  const caption = `Agreement of attention with saliency (${of} of ${metric.name}), heads of ${model.name}, ${prompts.length} prompts`;
  return { tokens, agreement: new HeadScores({ caption, measured, seed, provenance: async () => model.provenance() }) };
}
