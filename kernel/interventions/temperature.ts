import { build } from "../graph/index.js";
import type { GraphEdit } from "../models/index.js";
import { checkOptions } from "../tensor/index.js";
import { checkNumber, inHeads, layersAt, number, type HeadChoice } from "./parts/heads.js";
import { isHidden } from "./parts/scores.js";

export interface TemperatureOptions extends HeadChoice {
  /** Above 0; below 1 sharpens, above 1 flattens. */
  readonly temperature: number;
}

/**
 * Divides scores by a temperature; hidden keys stay hidden.
 *
 *   s′ = s / τ
 */
export function temperature(options: TemperatureOptions): GraphEdit {
  checkOptions("temperature", options, ["layer", "head", "temperature"]);
  const { layer, head, temperature: tau } = options;
  checkNumber("temperature", "temperature", tau, "a number above 0", (x) => x > 0);
  return {
    name: "temperature",
    at: layersAt("attn.scores", layer),
    edit: (scores, site) => {
      const tempered = build.div(scores, number(site, "temperature", tau));
      return inHeads("temperature", site, head, scores, build.where(isHidden(scores), scores, tempered));
    },
  };
}
