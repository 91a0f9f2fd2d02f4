import { random, sizeOf, Tensor } from "../../tensor/index.js";
import type { Blueprint } from "../family.js";
import { unsquash } from "./attend.js";
import { parametersOf } from "./attention.js";
import type { TransformerConfig } from "./config.js";

/** What is known of a weight before anything is learned: a constant, or a normal distribution around 0. */
type Start = number | { readonly std: number };

function startOf(config: TransformerConfig, embedding: number, name: string, shape: readonly number[]): Start {
  const at = Number(/^blocks\.(\d+)\./.exec(name)?.[1] ?? NaN);
  const part = name.replace(/^blocks\.\d+\./, "");
  if (part === "embed.weight" || part === "positions.weight") return { std: embedding };
  if (/^(ln1|ln2|ln_final)\.weight$/.test(part)) return 1;
  const gate = /^attn\.gate\.(.+)\.(weight|bias)$/.exec(part);
  if (gate?.[2] === "bias") {
    const { initial, range } = config.attention[at].mechanism.gates![gate[1]];
    return initial === undefined ? 0 : unsquash(initial, range);
  }
  if (part.endsWith(".bias")) return 0;
  // The token itself passes; its past comes in by learning.
  if (part === "attn.convolution.weight") return { std: 0.3 };
  if (part.endsWith(".weight")) {
    const std = 1 / Math.sqrt(shape[0]);
    // What is written to the stream is kept small, so that its size does not grow with depth: GPT-2 §2.3.
    return { std: /\.out\.weight$/.test(part) ? std / Math.sqrt(2 * config.layers) : std };
  }
  return parametersOf(config, at)[part.replace(/^attn\./, "")].initial;
}

/**
 * Weights to begin with, a function of the seed: matrices normal with standard deviation 1/√inputs, norms 1, biases 0,
 * and what mechanisms ask for. Each weight has a stream of its own, so that one more layer changes no other.
 */
export function initialWeights(
  config: TransformerConfig,
  { tensors }: Pick<Blueprint, "tensors">,
  { seed, embedding }: { readonly seed: number; readonly embedding: number },
): ReadonlyMap<string, Tensor<"float32">> {
  const stream = random(seed).fork("weights");
  return new Map(
    tensors.map(({ name, shape }) => {
      const start = startOf(config, embedding, name, shape);
      const data =
        typeof start === "number"
          ? new Float32Array(sizeOf(shape)).fill(start)
          : (stream.fork(name).normal(shape, { deviation: start.std }).data as Float32Array);
      return [name, new Tensor("float32", shape, data)] as const;
    }),
  );
}
