import { build } from "../graph/index.js";
import type { Site } from "../models/index.js";
import { OptionError } from "../tensor/index.js";
import { lastPositions, logitsOf, type PromptMetric } from "./parts/metric.js";

/** A token: its text, with the space that belongs to it, or its id. */
export type TokenName = string | number;

/**
 * How much more a model expects one token than another after each prompt.
 *
 *   logit[last, a] − logit[last, b], last the last real token
 *
 * Units    nats
 * Throws   OptionError at the run unless each text is one token of the model
 * Source   arXiv:2211.00593 §2
 * Example  logitDifference(" Mary", " John"), or one answer per prompt: logitDifference([" Mary", " Tom"], [" John", " Anne"])
 */
export function logitDifference(
  a: TokenName | readonly TokenName[],
  b: TokenName | readonly TokenName[],
): PromptMetric {
  return {
    name: `logitDifference(${JSON.stringify(a)}, ${JSON.stringify(b)})`,
    write: (site, prompts) => {
      const positions = lastPositions(site);
      const [first, second] = [a, b].map((names, i) => {
        const ids = prompts.map((prompt) => idOf(site, names, prompt));
        return logitsOf(site, positions, ids, `tokens ${i}`); // [B]
      });
      return build.sub(first, second);
    },
  };
}

function idOf(site: Site, names: TokenName | readonly TokenName[], prompt: number): number {
  const name = typeof names === "string" || typeof names === "number" ? names : names[prompt];
  if (name === undefined) {
    throw new OptionError(`logitDifference: expected a token for each prompt, got none for prompt ${prompt}`);
  }
  if (typeof name === "string") return site.tokenId(name);
  if (!Number.isInteger(name) || name < 0 || name >= site.model.vocabulary) {
    throw new OptionError(
      `logitDifference: a token id is a whole number in 0 … ${site.model.vocabulary - 1}, got ${name}`,
    );
  }
  return name;
}
