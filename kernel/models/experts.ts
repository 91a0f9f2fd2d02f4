import type { Value } from "../graph/index.js";
import { build, constant } from "../graph/index.js";
import { Tensor } from "../tensor/index.js";
import type { MlpPart } from "./gatedDecoder.js";
import { activations, linear } from "./layers.js";

/**
 * 1 at the `count` largest of the last axis, 0 elsewhere; of equals the first.
 *
 * Shapes   x [B,T,E] → [B,T,E]
 */
export function largest(x: Value, count: number): Value {
  const size = x.shape[2] as number;
  const [rivals, own] = [build.unsqueeze(x, [2]), build.unsqueeze(x, [3])]; // [B,T,1,E], [B,T,E,1]
  const earlier = new Float32Array(size * size).map((_, i) => (i % size < Math.floor(i / size) ? 1 : 0));
  const first = constant(new Tensor("float32", [size, size], earlier));
  const ahead = build.add(
    build.cast(build.greater(rivals, own), "float32"),
    build.mul(build.cast(build.equal(rivals, own), "float32"), first),
  );
  return build.cast(build.less(build.reduceSum(ahead, [3]), count), "float32");
}

/** A mixture of gated MLPs. */
export interface Experts {
  readonly count: number;
  /** How many of them each position passes. */
  readonly perToken: number;
  readonly width: number;
  readonly activation: string;
  /** Name of the part, and of the weights of gate, up and down of an expert. */
  readonly name: string;
  readonly weights: readonly [string, string, string];
}

/**
 * The chosen experts' outputs, weighted by their shares of the router's softmax.
 *
 *   mlp(x) = Σ_e w_e · down_e(act(gate_e(x)) ⊙ up_e(x)),  w_e = p_e / Σ_chosen p  for the chosen, 0 for the others
 *
 * Every expert is computed for every position, so that all shapes stay fixed and everything can be addressed:
 * `mlp.router_logits`, `mlp.expert_weights` [B,T,E].
 *
 * Source   arXiv:2401.04088 §2.1
 */
export function mixture({ count, perToken, width: inner, activation, name, weights }: Experts): MlpPart {
  return {
    specs: (prefix, width) => [
      { name: `${prefix}${name}.gate.weight`, shape: [count, width] },
      ...Array.from({ length: count }, (_, expert) => `${prefix}${name}.experts.${expert}.`).flatMap((own) =>
        weights.map((part, i) => ({ name: `${own}${part}.weight`, shape: i < 2 ? [inner, width] : [width, inner] })),
      ),
    ],
    build: (context, prefix) => (x, tap) => {
      const logits = tap("mlp.router_logits", linear(context, `${prefix}${name}.gate`, x));
      const shares = build.softmax(logits, 2);
      const chosen = build.mul(shares, largest(shares, perToken));
      const mix = tap("mlp.expert_weights", build.div(chosen, build.reduceSum(chosen, [2], true)));
      const outputs = Array.from({ length: count }, (_, expert) => {
        const [gate, up, down] = weights.map(
          (part) => (y: Value) => linear(context, `${prefix}${name}.experts.${expert}.${part}`, y),
        );
        const written = down(build.mul(activations[activation](gate(x)), up(x)));
        return build.mul(written, build.slice(mix, 2, expert, expert + 1));
      });
      return outputs.reduce((sum, output) => build.add(sum, output));
    },
  };
}
