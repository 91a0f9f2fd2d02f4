import { wholeNumber } from "../../tensor/index.js";
import { chunkLength } from "../decayed.js";
import { kernelForm } from "../kernelForm.js";
import type { Mechanism } from "../mechanism.js";
import { mechanism } from "../mechanism.js";
import { dot } from "../reference.js";
import type { Scale } from "../steps.js";

interface LightningOptions {
  readonly scale: Scale;
  /** λ of each head, in turn; `"ALiBi slopes"` stands for exp(−2^(−8·(h+1)/H)). */
  readonly decay: readonly number[] | "ALiBi slopes";
  /** Tokens per chunk; as long as the sequence it is Lightning 1's product of all pairs. Changes no result. */
  readonly block: number;
}

/**
 * Linear attention with a decay per head, without any normalisation: computed in chunks, memory O(T).
 *
 *   z_t = scale · Σ_{s≤t} λ_h^{t−s} (q_t·k_s) v_s
 *
 * Source   TransNormerLLM, arXiv:2307.14995 eq. 1; chunks: Lightning Attention-2, arXiv:2401.04658 §3.2
 * Differs  λ does not depend on the layer unless it is given; angles, gate and norm are those of `normAttention`
 */
export const lightning: Mechanism<LightningOptions> = mechanism({
  name: "lightning",
  summary: "linear attention with a decay per head, in chunks",
  source: "arXiv:2401.04658 §3.2",
  differs:
    "the decay does not depend on the layer unless it is given; angles, gate and norm are those of `normAttention`",
  rows: [48, 198],
  defaults: { scale: "1/√D", decay: "ALiBi slopes", block: chunkLength },
  alsoAsked: [{ block: 3 }, { block: 1000 }],
  limits: [
    {
      when: "nothing decays",
      options: { scale: 1, decay: [1] },
      equals: "linear",
      with: { feature: "identity", normalised: false },
    },
  ],
  ...kernelForm<LightningOptions>("lightning", {
    feature: (x) => x,
    featureDim: (headDim) => headDim,
    weight: dot,
    isNormalised: () => false,
    decays: (heads, { decay }) =>
      Array.from({ length: heads }, (_, h) =>
        decay === "ALiBi slopes" ? Math.exp(-(2 ** ((-8 * (h + 1)) / heads))) : decay[h % decay.length],
      ),
    chunk: ({ block }) => wholeNumber("lightning", "block", block),
  }),
});
