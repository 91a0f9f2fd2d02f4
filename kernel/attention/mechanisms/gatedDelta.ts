import { build } from "../../graph/index.js";
import type { DeltaCall } from "../delta.js";
import { deltaPattern, deltaProducts, deltaReference, deltaStep } from "../delta.js";
import { lengthOf } from "../lengths.js";
import type { Call, Mechanism } from "../mechanism.js";
import { mechanism, sizesOf } from "../mechanism.js";
import type { Scale } from "../steps.js";
import { perHead, scaleOf } from "../steps.js";

interface GatedDeltaOptions {
  readonly scale: Scale;
}

function callOf({ q, k, v, gates }: Call, { scale }: GatedDeltaOptions): DeltaCall {
  const { heads, headDim } = sizesOf("gatedDelta", { q, k, v });
  return {
    q: build.mul(q, scaleOf(scale, headDim)),
    k: perHead(k, heads),
    v: perHead(v, heads),
    beta: build.unsqueeze(gates!["beta"], [3]),
    logKept: build.log(build.unsqueeze(gates!["keep"], [3])),
  };
}

/**
 * The delta rule with a memory that also forgets.
 *
 *   S_t = α_t·S_{t−1} + β_t·k_t ⊗ (v_t − α_t·S_{t−1}ᵀk_t)        z_t = scale · S_tᵀq_t
 *
 * Range    α in 0 … 1, both ends left out; stable for β·‖k‖² in 0 … 2
 * Source   Gated DeltaNet, arXiv:2412.06464 eq. 10; chunks §3.3
 * Differs  keys are taken as they are: the layer normalises them to length 1
 */
export const gatedDelta: Mechanism<GatedDeltaOptions> = mechanism({
  name: "gatedDelta",
  summary: "the delta rule with a memory that also forgets",
  source: "arXiv:2412.06464 eq. 10",
  differs: "keys are taken as they are; the layer normalises them",
  defaults: { scale: "1/√D" },
  promises: { sees: "causal", rows: "free", mixesValues: true },
  cost: { time: "T·D·(D + 64)", state: "D²" },
  gates: { beta: { per: "head", range: [0, 1] }, keep: { per: "head", range: [0, 1], initial: 0.98 } },
  build: (call, options) => {
    lengthOf("gatedDelta", sizesOf("gatedDelta", call));
    const delta = callOf(call, options);
    return { pattern: deltaPattern(delta), z: deltaProducts(delta) };
  },
  reference: ({ q, k, gates }, { scale }) => {
    const factor = scaleOf(scale, q[0].length);
    const [beta, keep] = [gates["beta"], gates["keep"]].map((gate) => gate.map(([x]) => x));
    return {
      pattern: deltaReference(
        q.map((row) => row.map((x) => factor * x)),
        k,
        beta,
        keep,
      ),
    };
  },
  limits: [{ when: "nothing is forgotten", gates: { keep: 1 }, equals: "deltaRule" }],
  stream: {
    state: ({ headDim, valueDim }) => ({ memory: { shape: [headDim, valueDim], initial: 0 } }),
    step: ({ memory }, token, options) => {
      const { z, state } = deltaStep(memory, callOf(token, options));
      return { z, state: { memory: state } };
    },
  },
});
