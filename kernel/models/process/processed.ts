import { checkOptions, OptionError, UnsupportedError } from "../../tensor/index.js";
import type { Blueprint } from "../family.js";
import { forward } from "../forward.js";
import { centreUnembedding } from "./centreUnembedding.js";
import { centreWritingWeights } from "./centreWritingWeights.js";
import { foldLayerNorm } from "./foldLayerNorm.js";
import { GraphReading } from "./graphReading.js";
import type { Step, Weights } from "./step.js";

/** Rewritings of weights that leave the predictions as they are. */
export interface ProcessOptions {
  /** Whether scale and bias of norms are put into what reads them: false. */
  readonly foldLayerNorm?: boolean;
  /** Whether weights that write to the residual stream lose their mean along it, which layer norms take away: false. */
  readonly centreWritingWeights?: boolean;
  /** Whether the unembedding loses its mean over the vocabulary, which only moves all logits of a position alike: false. */
  readonly centreUnembedding?: boolean;
}

/** In the order in which they are done. */
const steps: Readonly<Record<keyof ProcessOptions, Step>> = { foldLayerNorm, centreWritingWeights, centreUnembedding };

/** What processing made of a model's weights, and in words what it did. */
export interface ProcessedModel {
  readonly weights: Weights;
  readonly done: readonly string[];
}

/**
 * A model's weights with the chosen rewritings.
 *
 * Throws   OptionError on an unknown option; UnsupportedError where a rewriting would change what the model predicts
 */
export function processed(blueprint: Blueprint, weights: Weights, options: ProcessOptions): ProcessedModel {
  const names = Object.keys(steps) as (keyof ProcessOptions)[];
  checkOptions("process", options, names);
  const wrong = names.find((name) => !["boolean", "undefined"].includes(typeof options[name]));
  if (wrong !== undefined) {
    throw new OptionError(`process: ${wrong} must be true or false, got ${JSON.stringify(options[wrong])}`);
  }
  let current = weights;
  const done: string[] = [];
  for (const name of names.filter((each) => options[each] === true)) {
    const graph = new GraphReading(forward(blueprint, current), current);
    const step = steps[name](graph, current, blueprint);
    const after = new GraphReading(forward(blueprint, step.weights), step.weights);
    const unread = [...step.weights].find(([own, value]) => !current.has(own) && after.readersOf(value).length === 0);
    if (unread) throw new UnsupportedError(`${name}: ${blueprint.family} has no place for "${unread[0]}"`);
    current = step.weights;
    done.push(step.done);
  }
  return { weights: current, done };
}
