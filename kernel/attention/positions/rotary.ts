import type { Value } from "../../graph/index.js";
import { build } from "../../graph/index.js";
import { OptionError, UnsupportedError } from "../../tensor/index.js";
import { table } from "../lengths.js";

/**
 * Turns pairs of channels by angles that grow with position, so that q·k depends on distances only. Channel d is paired
 * with d + D/2.
 *
 *   angle[t,d] = t · base^(−2d/D),  d < D/2
 *
 * Shapes   x [B,H,T,D] → [B,H,T,D], T known
 * Throws   OptionError on an odd D
 * Source   RoFormer, arXiv:2104.09864 eq. 34, in the split-half layout
 */
export function rotary(x: Value, { base = 10_000 }: { readonly base?: number } = {}): Value {
  const [, , length, headDim] = x.shape;
  if (typeof length !== "number")
    throw new UnsupportedError(`rotary: the length must be known when the graph is built, got ${length}`);
  if (typeof headDim !== "number" || headDim % 2 !== 0)
    throw new OptionError(`rotary: head size must be even, got ${headDim}`);
  const half = headDim / 2;
  const angle = (t: number, d: number): number => t * base ** ((-2 * (d % half)) / headDim);
  const cosine = table(x, [length, headDim], (t, d) => Math.cos(angle(t, d)));
  const sine = table(x, [length, headDim], (t, d) => Math.sin(angle(t, d)));
  const [front, back] = [build.slice(x, 3, 0, half), build.slice(x, 3, half, headDim)];
  return build.add(build.mul(x, cosine), build.mul(build.concat([build.neg(back), front], 3), sine));
}
