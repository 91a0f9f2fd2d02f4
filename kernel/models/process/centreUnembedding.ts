import { UnsupportedError } from "../../tensor/index.js";
import { centred } from "./centreWritingWeights.js";
import type { Step } from "./step.js";

/**
 * The unembedding less its mean over the vocabulary: each position's logits move by one number, log-probabilities stay.
 *
 * Throws   UnsupportedError where logits are more than one product with a matrix of the model and a bias: a softcap, say
 */
export const centreUnembedding: Step = (graph, weights, { family, unembedding: own }) => {
  const last = graph.unembedding();
  if (!last) {
    throw new UnsupportedError(
      `centreUnembedding: ${family}: its logits are not one product with a matrix of the model`,
    );
  }
  const { name, matrix, inputAxis } = last;
  const isShared = graph.readersOf(matrix).length > 1;
  if (isShared && own === undefined) {
    throw new UnsupportedError(`centreUnembedding: ${family}: "${name}" does more than unembed`);
  }
  const changed = new Map(weights).set(isShared ? `${own}.weight` : name, centred(matrix, 1 - inputAxis));
  const bias = graph.biasOf(last);
  if (bias !== undefined) changed.set(bias, centred(weights.get(bias)!, weights.get(bias)!.shape.length - 1));
  return { weights: changed, done: "centreUnembedding" };
};
