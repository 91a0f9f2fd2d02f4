import type { Value } from "../../graph/index.js";
import { build } from "../../graph/index.js";
import type { DeltaCall } from "../delta.js";
import { deltaPattern, deltaProducts, deltaReference } from "../delta.js";
import { lengthOf, past } from "../lengths.js";
import type { Call, Mechanism } from "../mechanism.js";
import { mechanism, sizesOf } from "../mechanism.js";
import { dot, normalisedRows, softmaxRow } from "../reference.js";
import type { Scale } from "../steps.js";
import { maskedSoftmax, mixed, perHead, products, scaleOf } from "../steps.js";

interface NatsLinearOptions {
  readonly scale: Scale;
}

/** The tokens that are written to the memory: the others write nothing and forget nothing. */
function linearPart({ q, k, v, gates }: Call, isKept: Value, scale: Scale): DeltaCall {
  const { heads, headDim } = sizesOf("natsLinear", { q, k, v });
  const { route, beta, keep } = gates!;
  const rate = build.where(isKept, 0, build.mul(beta, build.sigmoid(build.neg(route))));
  return {
    q: build.mul(q, scaleOf(scale, headDim)),
    ...{ k: perHead(k, heads), v: perHead(v, heads) },
    beta: build.unsqueeze(rate, [3]),
    logKept: build.unsqueeze(build.where(isKept, 0, build.log(keep)), [3]),
  };
}

/**
 * Each token of each head is either kept, to be found by softmax, or written to a gated delta memory.
 *
 *   z_t = softmax over kept s ≤ t of (scale · q_t·k_s + log p_s) · v_s  +  scale · S_tᵀq_t,  p = σ(route), kept where route > 0
 *   S_t = α_t·S_{t−1} + (1 − p_t)·β_t·k_t ⊗ (v_t − α_t·S_{t−1}ᵀk_t) at the other tokens, S_{t−1} at kept ones
 *
 * The choice itself has no gradient; its probability, which weighs what is chosen, has one.
 *
 * Range    weights of either sign; stable for β·‖k‖² in 0 … 2
 * Source   NAtS-L, arXiv:2602.03681: the abstract; the memory is Gated DeltaNet's, arXiv:2412.06464 eq. 10
 * Differs  the paper's rule of routing is read from its abstract: one choice per token, both parts added, each weighed by
 *          its probability
 */
export const natsLinear: Mechanism<NatsLinearOptions> = mechanism({
  name: "natsLinear",
  summary: "each token is kept for softmax or written to a gated delta memory",
  source: "arXiv:2602.03681, abstract; arXiv:2412.06464 eq. 10",
  differs: "the routing is read from the abstract: one choice per token, both parts added, weighed by its probability",
  rows: [25],
  defaults: { scale: "1/√D" },
  promises: { sees: "causal", rows: "free", mixesValues: true },
  cost: { time: "T²·D here; T·n·D for n kept tokens", state: "D² + 2·n·D for n kept tokens" },
  // At most: where every token is kept.
  held: ({ heads, keyHeads, valueHeads, headDim, valueDim, keys }) =>
    heads * headDim * valueDim + keys * (keyHeads * headDim + valueHeads * valueDim),
  gates: {
    route: { per: "head", range: [-Infinity, Infinity] },
    beta: { per: "head", range: [0, 1] },
    keep: { per: "head", range: [0, 1], initial: 0.98 },
  },
  build: (call, { scale }) => {
    const sizes = sizesOf("natsLinear", call);
    const length = lengthOf("natsLinear", sizes);
    const { q, k, v, gates } = call;
    const isKept = build.greater(gates["route"], 0); // [B,H,T]
    const delta = linearPart(call, isKept, scale);
    const likely = build.neg(build.softplus(build.neg(gates["route"])));
    const plain = build.mul(products(q, k), scaleOf(scale, sizes.headDim));
    const scores = build.add(plain, build.unsqueeze(likely, [2]));
    const isPast = past(q, length);
    const found = maskedSoftmax(scores, build.and(build.unsqueeze(isKept, [2]), isPast));
    return {
      pattern: build.add(found, deltaPattern(delta)),
      z: build.add(mixed(found, v), deltaProducts(delta)),
    };
  },
  reference: (head, { scale }) => {
    const { q, k, gates } = head;
    const factor = scaleOf(scale, q[0].length);
    const [route, beta, keep] = ["route", "beta", "keep"].map((name) => gates[name].map(([x]) => x));
    const probability = route.map((x) => 1 / (1 + Math.exp(-x)));
    const kept = { ...head, sees: (i: number, j: number): boolean => j <= i && route[j] > 0 };
    const score = (i: number, j: number): number => factor * dot(q[i], k[j]) + Math.log(probability[j]);
    const found = normalisedRows(kept, score, softmaxRow);
    const remembered = deltaReference(
      q.map((row) => row.map((x) => factor * x)),
      k,
      beta.map((x, t) => (route[t] > 0 ? 0 : x * (1 - probability[t]))),
      keep.map((x, t) => (route[t] > 0 ? 1 : x)),
    );
    return { pattern: found.map((row, i) => row.map((x, j) => x + remembered[i][j])) };
  },
  limits: [
    { when: "every token is kept", gates: { route: 1e4 }, equals: "softmax" },
    { when: "no token is kept", gates: { route: -1e4 }, equals: "gatedDelta" },
  ],
});
