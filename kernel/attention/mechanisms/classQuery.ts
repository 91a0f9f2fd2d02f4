import { build } from "../../graph/index.js";
import { lengthOf } from "../lengths.js";
import type { Mechanism } from "../mechanism.js";
import { mechanism, sizesOf } from "../mechanism.js";
import { dot, softmaxRow } from "../reference.js";
import type { Scale } from "../steps.js";
import { perHead, scaleOf, products, mixed } from "../steps.js";
import { ownTokens } from "../channels.js";

interface ClassQueryOptions {
  readonly scale: Scale;
}

/**
 * Only the first token asks, as the class token of one branch asks the patches of another; the others keep their values.
 *
 *   z_0 = softmax(scale · q_0·kᵀ) v        z_i = v_i for i > 0
 *
 * Range    rows sum to 1; the first row is that of softmax attention
 * Source   cross-attention of CrossViT, arXiv:2103.14899 eq. 3
 */
export const classQuery: Mechanism<ClassQueryOptions> = mechanism<ClassQueryOptions>({
  name: "classQuery",
  summary: "only the first token asks; the others keep their values",
  source: "arXiv:2103.14899 eq. 3",
  rows: [93],
  defaults: { scale: "1/√D" },
  promises: { sees: "all", rows: "one", mixesValues: true },
  cost: { time: "T·D", state: "not causal" },
  build: ({ q, k, v }, { scale }) => {
    const sizes = sizesOf("classQuery", { q, k, v });
    const length = lengthOf("classQuery", sizes);
    const first = build.slice(q, 2, 0, 1);
    const row = build.softmax(build.mul(products(first, k), scaleOf(scale, sizes.headDim)), -1); // [B,H,1,T]
    const asked = mixed(row, v);
    if (length === 1) return { z: asked, pattern: row };
    const rest = (x: typeof q): typeof q => build.slice(x, 2, 1, length);
    return {
      z: build.concat([asked, rest(perHead(v, sizes.heads))], 2),
      pattern: build.concat([row, rest(ownTokens(q))], 2),
    };
  },
  reference: ({ q, k }, { scale }) => {
    const factor = scaleOf(scale, q[0].length);
    const first = softmaxRow(k.map((key) => factor * dot(q[0], key)));
    return { pattern: q.map((_, i) => (i === 0 ? first : k.map((__, j) => Number(i === j)))) };
  },
});
