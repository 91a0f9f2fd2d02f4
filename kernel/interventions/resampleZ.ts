import { build } from "../graph/index.js";
import type { GraphEdit } from "../models/index.js";
import { checkOptions, OptionError, random, Tensor } from "../tensor/index.js";
import { inHeads, layersAt, type HeadChoice } from "./parts/heads.js";

export interface ResampleOptions extends HeadChoice {
  /** Chooses the other prompts; default 0. */
  readonly seed?: number;
}

/**
 * Gives heads the outputs that they have on another prompt of the batch, at the same position, in the untouched run.
 *
 *   z′[b] = z[(b + s_b) mod B], s_b ≠ 0 drawn by the seed
 *
 * Throws   OptionError on a batch of one prompt
 * Source   causal scrubbing's resampling ablation; named so in arXiv:2304.14997 §2
 */
export function resampleZ(options: ResampleOptions = {}): GraphEdit {
  checkOptions("resampleZ", options, ["layer", "head", "seed"]);
  const { layer, head, seed = 0 } = options;
  return {
    name: "resampleZ",
    at: layersAt("attn.z", layer),
    edit: (z, site) => {
      const { size } = site.batch;
      if (size < 2) throw new OptionError(`resampleZ: needs at least two prompts to draw from, got ${size}`);
      const shifts = random(seed).fork("resampleZ").integers([size], { low: 1, high: size }).numbers();
      const others = Int32Array.from(shifts, (shift, b) => (b + shift) % size);
      const rows = site.feed("prompts", new Tensor("int32", [size], others), ["batch"]);
      return inHeads("resampleZ", site, head, z, build.gather(site.clean(site.address), rows, 0));
    },
  };
}
