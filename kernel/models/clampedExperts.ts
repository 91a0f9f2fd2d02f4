import { hiddenScore } from "../attention/steps.js";
import { build } from "../graph/index.js";
import { largest } from "./experts.js";
import type { MlpPart } from "./gatedDecoder.js";
import { linear } from "./layers.js";

/** A mixture of gated MLPs whose weights lie in one tensor for all experts. */
export interface ClampedExperts {
  readonly count: number;
  /** How many of them each position passes. */
  readonly perToken: number;
  readonly width: number;
  /** What the gate is multiplied with inside of the sigmoid. */
  readonly gain: number;
  /** The gate is at most this, and what it gates is within this of 0. */
  readonly limit: number;
}

/**
 * The chosen experts' outputs, weighted by a softmax over the chosen experts' logits alone.
 *
 *   mlp(x) = Σ_e w_e · (W_down,e · (g · σ(α·g) ⊙ (u + 1)) + b_e),  g = min(gate, c),  u = clip(up, −c, c)
 *
 * Every expert is computed for every position, as in {@link mixture}. Columns of gate and up lie in turn.
 *
 * Source   arXiv:2508.10925 §2.2
 */
export function clampedMixture({ count, perToken, width: inner, gain, limit }: ClampedExperts): MlpPart {
  return {
    specs: (prefix, width) => [
      { name: `${prefix}mlp.router.weight`, shape: [count, width] },
      { name: `${prefix}mlp.router.bias`, shape: [count] },
      { name: `${prefix}mlp.experts.gate_up_proj`, shape: [count, width, 2 * inner] },
      { name: `${prefix}mlp.experts.gate_up_proj_bias`, shape: [count, 2 * inner] },
      { name: `${prefix}mlp.experts.down_proj`, shape: [count, inner, width] },
      { name: `${prefix}mlp.experts.down_proj_bias`, shape: [count, width] },
    ],
    build: (context, prefix) => (x, tap) => {
      const { weight } = context;
      const bias = (name: string) => build.unsqueeze(weight(`${prefix}mlp.experts.${name}_bias`), [1]); // [E,1,·]
      const logits = tap("mlp.router_logits", linear(context, `${prefix}mlp.router`, x)); // [B,T,E]
      const chosen = build.greater(largest(logits, perToken), 0.5);
      const mix = tap("mlp.expert_weights", build.softmax(build.where(chosen, logits, hiddenScore), 2));
      const product = build.matMul(build.unsqueeze(x, [1]), weight(`${prefix}mlp.experts.gate_up_proj`));
      const both = build.add(product, bias("gate_up_proj")); // [B,E,T,2·I]
      const gate = build.minimum(build.slice(both, 3, 0, 2 * inner, 2), limit);
      const up = build.clip(build.slice(both, 3, 1, 2 * inner, 2), -limit, limit);
      const opened = build.mul(gate, build.sigmoid(build.mul(gate, gain)));
      const active = build.mul(build.add(up, 1), opened);
      const down = build.matMul(active, weight(`${prefix}mlp.experts.down_proj`));
      const written = build.add(down, bias("down_proj")); // [B,E,T,M]
      const shares = build.unsqueeze(build.transpose(mix, [0, 2, 1]), [3]); // [B,E,T,1]
      return build.reduceSum(build.mul(written, shares), [1]);
    },
  };
}
