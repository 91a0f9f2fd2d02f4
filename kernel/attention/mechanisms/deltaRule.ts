import type { Value } from "../../graph/index.js";
import { build } from "../../graph/index.js";
import type { DeltaCall } from "../delta.js";
import { deltaPattern, deltaProducts, deltaReference, deltaStep } from "../delta.js";
import { lengthOf } from "../lengths.js";
import type { Call, Mechanism } from "../mechanism.js";
import { mechanism, sizesOf } from "../mechanism.js";
import type { Scale } from "../steps.js";
import { perHead, scaleOf } from "../steps.js";

interface DeltaRuleOptions {
  readonly scale: Scale;
}

function callOf({ q, k, v, gates }: Call, { scale }: DeltaRuleOptions): DeltaCall {
  const { heads, headDim } = sizesOf("deltaRule", { q, k, v });
  const beta: Value = build.unsqueeze(gates!["beta"], [3]);
  return { q: build.mul(q, scaleOf(scale, headDim)), k: perHead(k, heads), v: perHead(v, heads), beta };
}

/**
 * A matrix memory that is corrected, not added to: each token moves what the memory answers to its key towards its value.
 *
 *   S_t = S_{t−1} + β_t·k_t ⊗ (v_t − S_{t−1}ᵀk_t)        z_t = scale · S_tᵀq_t
 *
 * Range    stable for β·‖k‖² in 0 … 2; weights of either sign
 * Source   DeltaNet, arXiv:2102.11174 eq. 24; chunks arXiv:2406.06484 §3.2
 * Differs  keys are taken as they are: the layer normalises them to length 1
 */
export const deltaRule: Mechanism<DeltaRuleOptions> = mechanism({
  name: "deltaRule",
  summary: "a matrix memory whose answers are corrected token by token",
  source: "arXiv:2406.06484 §3.2",
  differs: "keys are taken as they are; the layer normalises them",
  defaults: { scale: "1/√D" },
  promises: { sees: "causal", rows: "free", mixesValues: true },
  cost: { time: "T·D·(D + 64)", state: "D²" },
  gates: { beta: { per: "head", range: [0, 1] } },
  build: (call, options) => {
    lengthOf("deltaRule", sizesOf("deltaRule", call));
    const delta = callOf(call, options);
    return { pattern: deltaPattern(delta), z: deltaProducts(delta) };
  },
  reference: ({ q, k, gates }, { scale }) => {
    const factor = scaleOf(scale, q[0].length);
    const beta = gates["beta"].map(([x]) => x);
    const queries = q.map((row) => row.map((x) => factor * x));
    return {
      pattern: deltaReference(
        queries,
        k,
        beta,
        beta.map(() => 1),
      ),
    };
  },
  limits: [],
  stream: {
    state: ({ headDim, valueDim }) => ({ memory: { shape: [headDim, valueDim], initial: 0 } }),
    step: ({ memory }, token, options) => {
      const { z, state } = deltaStep(memory, callOf(token, options));
      return { z, state: { memory: state } };
    },
  },
});
