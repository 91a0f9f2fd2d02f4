import type { Value } from "../../graph/index.js";
import type { ComputeOptions, Model, ModelInput, Site } from "../../models/index.js";
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

type Inputs = string | readonly string[] | ModelInput;

/** Addresses that are kept of the two runs of a pair. */
export interface Kept {
  readonly clean: readonly string[];
  readonly corrupted: readonly string[];
}

/** A list of prompts, and one of as many corrupted ones. */
export function pairsOf(
  place: string,
  inputs: readonly [clean: Inputs, corrupted: Inputs],
): readonly [readonly Prompt[], readonly Prompt[]] {
  const [clean, corrupted] = [promptsOf(place, inputs[0]), promptsOf(place, inputs[1])];
  if (clean.length !== corrupted.length) {
    throw new ShapeError(
      `${place}: expected a corrupted prompt for each prompt, got ${clean.length} and ${corrupted.length}`,
    );
  }
  return [clean, corrupted];
}

/** Throws ShapeError unless a prompt and its twin have as many tokens. */
export function checkPair(place: string, index: number, one: number, other: number): void {
  if (one === other) return;
  throw new ShapeError(`${place}: pair ${index} must have one length, got ${one} and ${other} tokens`);
}

/**
 * Runs pairs of prompts and keeps what patching needs of each. Both runs are one graph, so that equal prompts have equal metrics.
 *
 * Throws   ShapeError unless there are as many corrupted prompts, each as long as its twin
 */
export async function runPairs(
  place: string,
  model: Model,
  inputs: readonly [clean: Inputs, corrupted: Inputs],
  metric: PromptMetric,
  kept: (site: Site, metric: Value, index: number) => Kept,
  settings: ComputeOptions,
): Promise<readonly PairRun[]> {
  const [clean, corrupted] = pairsOf(place, inputs);
  const run = async (prompt: Prompt, index: number, side: keyof Kept) => {
    let length = 0;
    let own: readonly string[] = [];
    const found = await model.compute(
      prompt.times(1),
      (site) => {
        length = site.batch.length;
        const value = metric.write(site, [index]);
        const addresses = kept(site, value, index);
        own = addresses[side];
        return {
          metric: value,
          ...Object.fromEntries(
            [...addresses.clean, ...addresses.corrupted].map((address) => [address, site.at(address)]),
          ),
        };
      },
      settings,
    );
    const value = numbersOf(place, metric, found["metric"], 1)[0];
    return { found: Object.fromEntries(own.map((address) => [address, found[address]])), length, value };
  };
  const pairs: PairRun[] = [];
  for (const [index, prompt] of clean.entries()) {
    const [one, other] = [await run(prompt, index, "clean"), await run(corrupted[index], index, "corrupted")];
    checkPair(place, index, one.length, other.length);
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
