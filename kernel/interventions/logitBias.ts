import { build } from "../graph/index.js";
import type { GraphEdit } from "../models/index.js";
import { checkOptions } from "../tensor/index.js";
import type { TokenSet } from "../models/index.js";
import { checkNumber, inHeads, layersAt, number, type HeadChoice } from "./parts/heads.js";
import { isHidden } from "./parts/scores.js";
import { inSet } from "./parts/tokens.js";

export interface LogitBiasOptions extends HeadChoice {
  /** What the attention to these keys is multiplied by before it is normalised again; above 0. */
  readonly gamma: number;
  /** The keys; key 0 when left out. */
  readonly keys?: TokenSet;
}

/**
 * Tunes the attention to some keys by adding to their scores.
 *
 *   s′[q,k] = s[q,k] + ln γ for the keys, so that for one key  a₀′ = γa₀/D, a_i′ = a_i/D, D = (γ − 1)a₀ + 1
 *
 * Source   ZeroTuning, arXiv:2505.11739
 * Differs  written on the scores and not on the pattern; the two are equal
 */
export function logitBias(options: LogitBiasOptions): GraphEdit {
  checkOptions("logitBias", options, ["layer", "head", "gamma", "keys"]);
  const { layer, head, gamma, keys = [0] } = options;
  checkNumber("logitBias", "gamma", gamma, "a number above 0", (x) => x > 0);
  return {
    name: "logitBias",
    at: layersAt("attn.scores", layer),
    edit: (scores, site) => {
      const tuned = build.unsqueeze(inSet("logitBias", "keys", site, keys), [1, 2]); // [B,1,1,K]
      const visible = build.and(tuned, build.not(isHidden(scores)));
      const raised = build.add(scores, number(site, "bias", Math.log(gamma)));
      return inHeads("logitBias", site, head, scores, build.where(visible, raised, scores));
    },
  };
}
