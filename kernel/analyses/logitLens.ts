import { substitute } from "../graph/index.js";
import type { ComputeOptions, Model, ModelInput, Site } from "../models/index.js";
import { checkOptions, OptionError } from "../tensor/index.js";
import type { PromptMetric } from "./parts/metric.js";
import { promptsOf } from "./parts/prompts.js";
import { meanOf } from "./parts/statistics.js";

export interface LensOptions {
  readonly metric: PromptMetric;
  readonly signal?: NonNullable<ComputeOptions["signal"]>;
}

export interface LensResult {
  /** By state: 0 is what the first block reads, l + 1 what block l leaves; means over prompts. */
  readonly metric: readonly number[];
  /** The same for each prompt. */
  readonly perPrompt: readonly (readonly number[])[];
}

/**
 * What a metric would be if each state of the residual stream were the last: through the model's own last norm and
 * unembedding, on raw weights.
 *
 *   metric(unembed(norm(h_l))) for every state l
 *
 * Range    the last state gives the metric itself
 * Throws   OptionError for a model without a prediction head
 * Source   nostalgebraist, "interpreting GPT: the logit lens" (2020)
 */
export async function logitLens(
  model: Model,
  inputs: string | readonly string[] | ModelInput,
  options: LensOptions,
): Promise<LensResult> {
  checkOptions("logitLens", options, ["metric", "signal"]);
  const { metric, signal } = options;
  const states = ["blocks.0.resid_pre", ...Array.from({ length: model.layers }, (_, l) => `blocks.${l}.resid_post`)];
  const perPrompt: number[][] = [];
  for (const [index, prompt] of promptsOf("logitLens", inputs).entries()) {
    const found = await model.compute(
      prompt.times(1),
      (site) =>
        Object.fromEntries(
          states.map((address, i) => [`${i}`, metric.write(seenThrough(site, states.at(-1)!, address), [index])]),
        ),
      signal ? { signal } : {},
    );
    perPrompt.push(states.map((_, i) => found[i].item(0)));
  }
  return { metric: states.map((_, i) => meanOf(perPrompt.map((row) => row[i]))), perPrompt };
}

/** The run as if one state of the residual stream were its last. */
function seenThrough(site: Site, last: string, state: string): Site {
  if (!site.addresses.includes("logits") || !site.addresses.includes("ln_final")) {
    throw new OptionError(`logitLens: ${site.model.architecture} has no last norm and prediction head to look through`);
  }
  const [final, logits] = [site.at("ln_final"), site.at("logits")];
  const seen = substitute(final, new Map([[site.at(last), site.at(state)]]));
  const predicted = substitute(logits, new Map([[final, seen]]));
  return {
    ...site,
    at: (address) => (address === "ln_final" ? seen : address === "logits" ? predicted : site.at(address)),
  };
}
