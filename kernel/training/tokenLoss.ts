import type { Value } from "../graph/index.js";
import { build } from "../graph/index.js";

/** Predictions that are measured apart: [B,T] int32, an index into the names, −1 for none. */
export interface Kinds {
  readonly kinds: Value;
  readonly names: readonly string[];
}

/** Sums over the predictions of a batch, each a scalar. */
export interface Sums {
  /** Σ −ln p(target) */
  readonly surprise: Value;
  /** How many targets are the most likely token. */
  readonly hits: Value;
  readonly count: Value;
}

/**
 * Sums over all predictions, and over those of each kind.
 *
 * Shapes   logits [B,T,V] · targets [B,T] int32, −1 for none
 */
export function predictionSums(logits: Value, targets: Value, parts?: Kinds): Readonly<Record<string, Sums>> {
  const places = build.unsqueeze(build.maximum(targets, 0), [2]);
  const logProbs = build.logSoftmax(logits, 2);
  const own = build.squeeze(build.gatherElements(logProbs, places, 2), [2]); // [B,T]
  const best = build.reduceMax(logProbs, [2]);
  const isHit = build.cast(build.greaterOrEqual(own, best), "float32");
  const sums = (counted: Value): Sums => ({
    surprise: build.neg(build.reduceSum(build.mul(own, counted))),
    hits: build.reduceSum(build.mul(isHit, counted)),
    count: build.reduceSum(counted),
  });
  const asked = build.cast(build.greaterOrEqual(targets, 0), "float32");
  const ofKind = parts?.names.map((name, kind) => {
    const isOfKind = build.cast(build.equal(parts.kinds, kind), "float32");
    return [name, sums(build.mul(asked, isOfKind))] as const;
  });
  return { loss: sums(asked), ...Object.fromEntries(ofKind ?? []) };
}

/**
 * The mean of −ln p(target), the share of targets that are the most likely token, and the mean of each kind.
 *
 * Units    nats
 */
export function tokenLoss(
  logits: Value,
  targets: Value,
  parts?: Kinds,
): { readonly loss: Value } & Readonly<Record<string, Value>> {
  const { loss, ...kinds } = predictionSums(logits, targets, parts);
  // A batch may lack a kind altogether.
  const mean = ({ surprise, count }: Sums): Value => build.div(surprise, build.maximum(count, 1));
  const means = Object.entries(kinds).map(([name, sums]) => [name, mean(sums)] as const);
  return {
    loss: mean(loss),
    accuracy: build.div(loss.hits, build.maximum(loss.count, 1)),
    ...Object.fromEntries(means),
  };
}
