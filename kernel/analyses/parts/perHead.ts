import type { Tensor } from "../../tensor/index.js";

/** Numbers by layer and head. Shapes: [1,L,H] or [L,H] → [layer][head]. */
export function perHead(x: Tensor): readonly (readonly number[])[] {
  const [layers, heads] = x.shape.slice(-2);
  const all = x.numbers();
  return Array.from({ length: layers }, (_, l) => Array.from(all.subarray(l * heads, (l + 1) * heads)));
}

/** [layer][head] of a function of both. */
export function gridOf(
  { layers, heads }: { readonly layers: number; readonly heads: number },
  of: (layer: number, head: number) => number,
): number[][] {
  return Array.from({ length: layers }, (_, l) => Array.from({ length: heads }, (_h, h) => of(l, h)));
}
