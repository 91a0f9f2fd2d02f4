import type { ComputeOptions, Model, ModelInput } from "../../models/index.js";
import { ShapeError, type Tensor } from "../../tensor/index.js";
import { numbersOf, type PromptMetric } from "./metric.js";
import { promptsOf, type Prompt } from "./prompts.js";

/** A prompt and its corrupted twin, each run once. */
export interface PairRun {
  /** Equal for equal pairs. */
  readonly key: string;
  readonly prompt: Prompt;
  readonly corrupted: Prompt;
  readonly metric: { readonly clean: number; readonly corrupted: number };
  /** By address, each [1,…]. */
  readonly clean: Readonly<Record<string, Tensor>>;
  readonly stream: Readonly<Record<string, Tensor>>;
}

/**
 * Runs pairs of prompts and keeps what patching needs of each.
 *
 * Throws   ShapeError unless there are as many corrupted prompts, each as long as its twin
 */
export async function runPairs(
  place: string,
  model: Model,
  inputs: readonly [clean: string | readonly string[] | ModelInput, corrupted: string | readonly string[] | ModelInput],
  metric: PromptMetric,
  kept: { readonly clean: readonly string[]; readonly corrupted: readonly string[] },
  settings: ComputeOptions,
): Promise<readonly PairRun[]> {
  const [clean, corrupted] = inputs.map((input) => promptsOf(place, input)) as [readonly Prompt[], readonly Prompt[]];
  if (clean.length !== corrupted.length) {
    throw new ShapeError(
      `${place}: expected a corrupted prompt for each prompt, got ${clean.length} and ${corrupted.length}`,
    );
  }
  const run = async (prompt: Prompt, index: number, addresses: readonly string[]) => {
    let length = 0;
    const found = await model.compute(
      prompt.times(1),
      (site) => {
        length = site.batch.length;
        return {
          metric: metric.write(site, [index]),
          ...Object.fromEntries(addresses.map((address) => [address, site.at(address)])),
        };
      },
      settings,
    );
    return { found, length, value: numbersOf(place, metric, found["metric"], 1)[0] };
  };
  const pairs: PairRun[] = [];
  for (const [index, prompt] of clean.entries()) {
    const [one, other] = [await run(prompt, index, kept.clean), await run(corrupted[index], index, kept.corrupted)];
    if (one.length !== other.length) {
      throw new ShapeError(
        `${place}: pair ${index} must have one length, got ${one.length} and ${other.length} tokens`,
      );
    }
    pairs.push({
      key: `${prompt.key} ${corrupted[index].key}`,
      prompt,
      corrupted: corrupted[index],
      metric: { clean: one.value, corrupted: other.value },
      clean: one.found,
      stream: other.found,
    });
  }
  return pairs;
}
