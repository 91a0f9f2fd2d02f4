import type { Value } from "../../graph/index.js";
import { build } from "../../graph/index.js";
import { wholeNumber } from "../../tensor/index.js";
import { lengthOf, past } from "../lengths.js";
import type { Mechanism } from "../mechanism.js";
import { mechanism, sizesOf } from "../mechanism.js";
import { relative } from "../positions/index.js";
import { dot, normalisedRows, softmaxRow } from "../reference.js";
import type { Scale } from "../steps.js";
import { maskedSoftmax, mixed, products, scaleOf } from "../steps.js";

interface RelativePositionOptions {
  readonly scale: Scale;
  /** Distances that have an embedding of their own; farther keys share the last one. */
  readonly distances: number;
}

/** One row per distance of the sequence, the last one of distance 0: [H,T,D]. */
function rowsOf(embeddings: Value, length: number, distances: number): Value {
  if (length <= distances) return build.slice(embeddings, 1, distances - length, distances);
  const [heads, , headDim] = embeddings.shape;
  const far = build.expand(build.slice(embeddings, 1, 0, 1), [heads, length - distances, headDim]);
  return build.concat([far, embeddings], 1);
}

/**
 * Softmax whose scores also compare each query with a learned embedding of the distance.
 *
 *   s[i,j] = scale · (q_i·k_j + q_i·E[i − j])
 *
 * Range    rows sum to 1
 * Source   Music Transformer, arXiv:1809.04281 eq. 3; the skewing of §3.4.1 keeps memory at O(T·D)
 * Differs  distances beyond the table share its last entry
 */
export const relativePosition: Mechanism<RelativePositionOptions> = mechanism({
  name: "relativePosition",
  summary: "softmax with learned embeddings of distances",
  source: "arXiv:1809.04281 eq. 3 and §3.4.1",
  differs: "distances beyond the table share its last entry",
  rows: [176],
  defaults: { scale: "1/√D", distances: 128 },
  promises: { sees: "causal", rows: "one", mixesValues: true },
  cost: { time: "T²·D", state: "2·T·D" },
  parameters: ({ heads, headDim }, { distances }) => ({
    embeddings: { shape: [heads, distances, headDim], initial: { std: 0.02 } },
  }),
  build: ({ q, k, v, parameters }, { scale, distances }) => {
    wholeNumber("relativePosition", "distances", distances);
    const sizes = sizesOf("relativePosition", { q, k, v });
    const length = lengthOf("relativePosition", sizes);
    const moved = relative(q, rowsOf(parameters["embeddings"], length, distances));
    const scores = build.mul(build.add(products(q, k), moved), scaleOf(scale, sizes.headDim));
    const pattern = maskedSoftmax(scores, past(q, length));
    return { scores, pattern, z: mixed(pattern, v) };
  },
  reference: (head, { scale, distances }) => {
    const { q, k, parameters } = head;
    const dim = q[0].length;
    const embedding = (distance: number): number[] => {
      const row = head.head * distances + distances - 1 - Math.min(distance, distances - 1);
      return parameters["embeddings"].slice(row * dim, (row + 1) * dim);
    };
    const score = (i: number, j: number): number =>
      scaleOf(scale, dim) * (dot(q[i], k[j]) + dot(q[i], embedding(i - j)));
    const causal = { ...head, sees: (i: number, j: number): boolean => j <= i };
    return { pattern: normalisedRows(causal, score, softmaxRow) };
  },
  limits: [{ when: "the embeddings are 0", parameters: { embeddings: 0 }, equals: "softmax" }],
  alsoAsked: [{ distances: 3 }],
});
