import type { Value } from "../../graph/index.js";
import { build } from "../../graph/index.js";
import { kernelForm, noDecay } from "../kernelForm.js";
import type { Mechanism } from "../mechanism.js";
import { mechanism } from "../mechanism.js";
import { dot } from "../reference.js";
import type { Scale } from "../steps.js";

type Feature = "elu+1" | "relu" | "identity";

interface LinearOptions {
  /** What queries are multiplied by before the feature map. */
  readonly scale: Scale;
  readonly feature: Feature;
  /** Whether each row is divided by its sum. */
  readonly normalised: boolean;
}

/** elu(x) + 1; the exponential never sees a positive number, so it cannot overflow. */
function eluPlusOne(x: Value): Value {
  const isPositive = build.greater(x, 0);
  return build.where(isPositive, build.add(x, 1), build.exp(build.where(isPositive, 0, x)));
}

const onGraph: Readonly<Record<Feature, (x: Value) => Value>> = {
  "elu+1": eluPlusOne,
  relu: build.relu,
  identity: (x) => x,
};
const onNumbers: Readonly<Record<Feature, (x: number) => number>> = {
  "elu+1": (x) => (x > 0 ? x + 1 : Math.exp(x)),
  relu: (x) => Math.max(0, x),
  identity: (x) => x,
};

/**
 * Causal linear attention: a feature map in place of the exponential, so that all that came before is one matrix.
 *
 *   pattern[t,s] = φ(scale·q_t)·φ(k_s) / Σ_{s'≤t} φ(scale·q_t)·φ(k_s')
 *
 * Range    rows sum to 1 where normalised; a row of relu features without any product is 0/0
 * Source   arXiv:2006.16236 eq. 9–12, φ = elu + 1
 */
export const linear: Mechanism<LinearOptions> = mechanism({
  name: "linear",
  summary: "a feature map in place of the exponential; the past is one matrix",
  source: "arXiv:2006.16236 eq. 9–12",
  defaults: { scale: 1, feature: "elu+1", normalised: true },
  limits: [],
  ...kernelForm<LinearOptions>("linear", {
    feature: (x, { feature }) => onGraph[feature](x),
    featureDim: (headDim) => headDim,
    weight: (a, b, { feature }) => dot(a.map(onNumbers[feature]), b.map(onNumbers[feature])),
    isNormalised: ({ normalised }) => normalised,
    decays: noDecay,
  }),
});
