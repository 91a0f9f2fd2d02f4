import type { Value } from "../graph/index.js";
import { build } from "../graph/index.js";
import { outputWeight, type Probe, type Site } from "../models/index.js";
import { checkOptions, Tensor } from "../tensor/index.js";
import { overLayers } from "./parts/attention.js";

export interface HeadNormOptions {
  /** `"z"`: what each head puts out; `"v"`: the values that it reads, repeated to the query heads that share them; default `"z"`. */
  readonly of?: "z" | "v";
  /** After the output projection, as the residual stream gets it: default true. */
  readonly ov?: boolean;
}

/**
 * How long the head outputs, or the values, are: plainly, or after W_O.
 *
 *   ‖x‖₂ or ‖x W_O^h‖₂ = √(x G xᵀ), G = W_O^h W_O^hᵀ, so that nothing of width M is made per head
 *
 * Shapes   [B,L,H,Q]
 * Range    before any bias, and before a norm of the attention's output where a model has one
 * Source   value drain after W_O: arXiv:2410.13835, its code; plain: the code of arXiv:2410.10781
 */
export function headNorms(options: HeadNormOptions = {}): Probe {
  checkOptions("headNorms", options, ["of", "ov"]);
  const { of = "z", ov = true } = options;
  return {
    name: `headNorms ${of}${ov ? " after W_O" : ""}`,
    measure: (site) =>
      overLayers(site, `attn.${of}`, (value, layer) => {
        const x = of === "v" ? repeated(value, site) : value; // [B,H,Q,D]
        const through = ov ? build.matMul(x, gram(site, layer)) : x;
        return build.sqrt(build.relu(build.reduceSum(build.mul(through, x), [3])));
      }),
  };
}

/** Values [B,G,K,D] as the query heads read them, [B,H,K,D]: head h reads group ⌊h·G/H⌋. */
function repeated(v: Value, { model: { heads }, feed }: Site): Value {
  const groups = v.shape[1] as number;
  if (groups === heads) return v;
  const rows = Int32Array.from({ length: heads }, (_, h) => Math.floor((h * groups) / heads));
  return build.gather(v, feed("groups", new Tensor("int32", [heads], rows)), 1);
}

/** W_O^h W_O^hᵀ of every head, [H,D,D]. */
function gram(site: Site, layer: number): Value {
  const { heads, headDim } = site.model;
  const weight = outputWeight(site, layer);
  const apart = build.reshape(weight, [heads, headDim, weight.shape[1]]);
  return build.matMul(apart, build.transpose(apart, [0, 2, 1]));
}
