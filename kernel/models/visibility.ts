import { hiddenScore } from "../attention/steps.js";
import type { Value } from "../graph/index.js";
import { build, futureLabel } from "../graph/index.js";

/** Where queries and keys stand in their rows; positions count all of a row, padding included. */
export interface Places {
  /** [B,K] int32: 1 real, 0 padding. */
  readonly mask: Value;
  /** [B,Q] int32 */
  readonly queries: Value;
  /** [B,K] int32 */
  readonly keys: Value;
}

/** The bias of one block, from its places and its window. */
export type Visibility = (places: Places, window: number | undefined) => Value;

function lowered(hidden: Value): Value {
  return build.named("attention_bias", build.mul(hidden, hiddenScore));
}

/**
 * Added to the scores: 0 where the mask is 1, the most negative float32 where it is 0.
 *
 * Shapes   mask [B,K] int32 → [B,1,1,K]
 */
export function paddingBias(mask: Value): Value {
  return lowered(build.unsqueeze(build.sub(1, build.cast(mask, "float32")), [1, 2]));
}

/**
 * Where query or key is padding.
 *
 * Shapes   mask [B,T] int32 → [B,1,Q,K] bool
 */
export function hiddenPairs(mask: Value): Value {
  const padding = build.less(mask, 1);
  return build.or(build.unsqueeze(padding, [1, 3]), build.unsqueeze(padding, [1, 2]));
}

/**
 * Added to the scores: 0 where the key is real, not after the query and, with a window, one of the last `window` keys;
 * the most negative float32 elsewhere, once, whatever the number of reasons.
 *
 * Shapes   [B,1,Q,K]
 */
export function causalBias(places: Places, window: number | undefined): Value {
  const { future, padding, distant } = hiddenKeys(places, window);
  const near = build.or(future, padding);
  return lowered(build.cast(distant ? build.or(near, distant) : near, "float32"));
}

/**
 * As {@link causalBias}, but lowered once for future or padding and once more for future or distance: a row without any
 * visible key is uniform over the keys that its window shows, and 0 elsewhere.
 */
export function twiceCausalBias(places: Places, window: number | undefined): Value {
  const { future, padding, distant } = hiddenKeys(places, window);
  const [once, again] = [build.or(future, padding), distant ? build.or(future, distant) : future].map((hidden) =>
    build.mul(build.cast(hidden, "float32"), hiddenScore),
  );
  return build.named("attention_bias", build.add(once, again));
}

/**
 * Added to the scores: 0 where the key is real and, with a window, at most that many positions before or after the
 * query; the most negative float32 elsewhere.
 *
 * Shapes   as {@link causalBias}
 */
export function nearBias(places: Places, window: number | undefined): Value {
  const { behind, padding } = hiddenKeys(places, undefined);
  const hidden = window === undefined ? padding : build.or(padding, build.greater(build.abs(behind), window));
  return lowered(build.cast(hidden, "float32"));
}

interface HiddenKeys {
  /** How far the key lies before the query, [B,1,Q,K]. */
  readonly behind: Value;
  /** [B,1,Q,K] */
  readonly future: Value;
  /** [B,1,1,K] */
  readonly padding: Value;
  /** [B,1,Q,K]; undefined without a window. */
  readonly distant: Value | undefined;
}

function hiddenKeys({ mask, queries, keys }: Places, window: number | undefined): HiddenKeys {
  const behind = build.sub(build.unsqueeze(queries, [1, 3]), build.unsqueeze(keys, [1, 2])); // [B,1,Q,K]
  return {
    behind,
    future: build.named(futureLabel, build.less(behind, 0)),
    padding: build.unsqueeze(build.less(mask, 1), [1, 2]),
    distant: window === undefined ? undefined : build.greater(behind, window - 1),
  };
}

/**
 * Whether a query sees a key: a real one and, where the model is causal, not after it.
 *
 * Shapes   [B,1,Q,K] bool, [B,1,1,K] where the model is not causal
 */
export function visiblePairs(places: Places, causal: boolean): Value {
  const { future, padding } = hiddenKeys(places, undefined);
  return build.not(causal ? build.or(future, padding) : padding);
}
