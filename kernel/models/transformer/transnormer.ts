import { checkOptions, wholeNumber } from "../../tensor/index.js";
import type { TransformerOptions } from "./make.js";

/** How far angles go in a TransNormerLLM. */
export interface TransnormerOptions {
  readonly layers: number;
  /** Layers whose positions turn as well as decay (LRPE-d); default `"first"`, the paper's mix. */
  readonly turned?: "first" | "every";
  /** How fast heads forget: `"8h/H"` as printed (eq. 2), or `"ALiBi slopes"` as in the released code; default `"8h/H"`. */
  readonly slopes?: "8h/H" | "ALiBi slopes";
}

/**
 * What makes a `transformer` of TransNormerLLM's blocks.
 *
 *   x ← x + GLA(SRMSNorm(x)) W_o        GLA(x) = SRMSNorm((φ(x W_q) φ(x W_k)ᵀ ⊙ M) x W_v) ⊙ x W_u
 *   x ← x + SGLU(SRMSNorm(x))           SGLU(x) = (x W_v ⊙ x W_u) W_o
 *
 * φ is silu, M decay and angles; in layer l = 1 … L head h keeps λ = exp(−8h/H · (1 − l/L)) per token, the last layer all.
 *
 * Source   arXiv:2307.14995 eq. 1–5, 8–9; the mix of positions: table 3
 * Differs  every projection has a bias, 0 at the start; angles as `mechanisms.normAttention` has them
 * Example  await transformer({ ...transnormer({ layers: 4 }), heads: 2, width: 32, vocabulary: 64, length: 128 })
 */
export function transnormer(
  options: TransnormerOptions,
): Required<
  Pick<
    TransformerOptions,
    "layers" | "mechanism" | "mechanismOptions" | "norm" | "gatedMlp" | "activation" | "positions"
  >
> {
  checkOptions("transnormer", options, ["layers", "turned", "slopes"]);
  const { turned = "first", slopes = "8h/H" } = options;
  const layers = wholeNumber("transnormer", "layers", options.layers);
  return {
    layers,
    mechanism: "normAttention",
    mechanismOptions: Array.from({ length: layers }, (_, at) => ({
      ...{ slopes, depth: (at + 1) / layers },
      turned: turned === "every" || at === 0,
    })),
    ...{ norm: "simpleRms", gatedMlp: true, activation: "linear", positions: "none" },
  };
}
