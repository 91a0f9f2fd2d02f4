import { build } from "../graph/index.js";
import type { GraphEdit } from "../models/index.js";
import { checkOptions } from "../tensor/index.js";
import { inHeads, layersAt, type HeadChoice } from "./parts/heads.js";
import { inSet } from "./parts/tokens.js";

/**
 * Puts each query's whole attention on the first real token of its prompt; what that token is depends on the tokenizer.
 *
 *   A′[q,k] = m_q · [k = first real token], with m_q the row's mass before
 *
 * Range    rows of padding are moved, too; nothing real reads them
 * Source   arXiv:2410.13835 §3 (the second test of a dormant head)
 */
export function bosPattern(options: HeadChoice = {}): GraphEdit {
  checkOptions("bosPattern", options, ["layer", "head"]);
  const { layer, head } = options;
  return {
    name: "bosPattern",
    at: layersAt("attn.pattern", layer),
    edit: (pattern, site) => {
      const { length, attentionMask } = site.batch;
      const first = (position: number, prompt: number): boolean =>
        attentionMask.subarray(prompt * length, (prompt + 1) * length).indexOf(1) === position;
      const bos = inSet("bosPattern", "bos", site, (_, position, prompt) => first(position, prompt));
      const here = build.cast(build.unsqueeze(bos, [1, 2]), "float32"); // [B,1,1,K]
      return inHeads("bosPattern", site, head, pattern, build.mul(build.reduceSum(pattern, [3], true), here));
    },
  };
}
