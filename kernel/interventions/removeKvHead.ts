import { build } from "../graph/index.js";
import type { GraphEdit } from "../models/index.js";
import { checkOptions } from "../tensor/index.js";
import { chosen, layersAt, type HeadChoice } from "./parts/heads.js";

export interface KvHeadOptions extends Pick<HeadChoice, "layer"> {
  /** One head of keys and values, several, or all when left out. */
  readonly kvHead?: number | readonly number[];
}

/**
 * Removes heads of keys and values: the outputs of all H/G query heads that read one become zero.
 *
 *   v′ = 0
 *
 * Shapes   v [B,G,K,D]
 * Source   groups: arXiv:2305.13245 §2.2
 */
export function removeKvHead(options: KvHeadOptions = {}): GraphEdit {
  checkOptions("removeKvHead", options, ["layer", "kvHead"]);
  const { layer, kvHead } = options;
  return {
    name: "removeKvHead",
    at: layersAt("attn.v", layer),
    edit: (v, { feed }) => {
      const groups = chosen("removeKvHead", "kvHead", kvHead, v.shape[1] as number);
      return build.where(build.unsqueeze(feed("kvHeads", groups), [0, 2, 3]), 0, v);
    },
  };
}
