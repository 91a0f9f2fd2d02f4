import type { Value } from "../graph/index.js";
import type { GraphContext, TensorSpec } from "./family.js";
import { mergeHeads, splitHeads } from "./layers.js";
import type { NormKind } from "./norms.js";

type Layer = (x: Value) => Value;

/** How many heads, and how wide. */
export interface HeadSizes {
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
}

/** Norms of queries and keys [B,H,T,D], below the prefix of a block's attention. */
export interface HeadNorms {
  readonly specs: (prefix: string, sizes: HeadSizes) => readonly TensorSpec[];
  readonly build: (context: GraphContext, prefix: string, sizes: HeadSizes) => readonly [Layer, Layer];
}

/** Each head on its own, all by the same weights. */
export function eachHead(norm: NormKind, names: readonly [string, string] = ["q_norm", "k_norm"]): HeadNorms {
  return {
    specs: (prefix, { headDim }) => names.flatMap((name) => norm.specs(prefix + name, headDim)),
    build: (context, prefix) => {
      const [q, k] = names.map((name) => (x: Value) => norm.apply(context, prefix + name, x));
      return [q, k];
    },
  };
}

/** All heads of a position together. */
export function allHeads(norm: NormKind): HeadNorms {
  return {
    specs: (prefix, { heads, kvHeads, headDim }) => [
      ...norm.specs(`${prefix}q_norm`, heads * headDim),
      ...norm.specs(`${prefix}k_norm`, kvHeads * headDim),
    ],
    build: (context, prefix, { heads, kvHeads }) => {
      const over =
        (name: string, count: number): Layer =>
        (x) =>
          splitHeads(norm.apply(context, prefix + name, mergeHeads(x)), count);
      return [over("q_norm", heads), over("k_norm", kvHeads)];
    },
  };
}
