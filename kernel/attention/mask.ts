import { packNumbers, Tensor } from "../tensor/index.js";

/** Which keys a query sees: a function of two positions, so it needs no length. */
export interface Mask {
  readonly name: string;
  readonly sees: (query: number, key: number) => boolean;
}

/** Keys that both show. */
export function and(a: Mask, b: Mask): Mask {
  return { name: `${a.name} and ${b.name}`, sees: (query, key) => a.sees(query, key) && b.sees(query, key) };
}

/** Keys that either shows. */
export function or(a: Mask, b: Mask): Mask {
  return { name: `(${a.name} or ${b.name})`, sees: (query, key) => a.sees(query, key) || b.sees(query, key) };
}

/** Keys that it hides. */
export function not(a: Mask): Mask {
  return { name: `not ${a.name}`, sees: (query, key) => !a.sees(query, key) };
}

/**
 * A mask written out, for `Call.mask`.
 *
 * Shapes   → [Q,K] bool
 * Example  constant(maskTensor(and(masks.causal(), masks.window({ length: 128 })), 512, 512))
 */
export function maskTensor(mask: Mask, queries: number, keys: number): Tensor {
  const data = Array.from({ length: queries * keys }, (_, at) => Number(mask.sees(Math.floor(at / keys), at % keys)));
  return new Tensor("bool", [queries, keys], packNumbers("bool", data));
}
