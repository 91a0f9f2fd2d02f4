import type { Mechanism, Sizes } from "./mechanism.js";

/** Sizes of a sequence whose length is known. */
export type SequenceSizes = Sizes & { readonly keys: number };

/**
 * Numbers that decoding holds of one sequence, all heads together: the state of a mechanism that has one, what its `held`
 * says, or else every key and value.
 *
 *   H · Σ state        or        T·(G·D + G′·E)
 *
 * Range    undefined where a query sees later keys by itself, so that nothing can be decoded
 * Example  stateNumbers(mechanisms.softmax, sizes) // 2·T·D where heads share nothing, H of them
 */
export function stateNumbers(unit: Mechanism, sizes: SequenceSizes, options: object = {}): number | undefined {
  const { heads, keyHeads, valueHeads, headDim, valueDim, keys } = sizes;
  const chosen = unit.optionsOf(options);
  if (unit.promises.sees === "all") return undefined;
  if (unit.stream) {
    const states = Object.values(unit.stream.state(sizes, chosen));
    return heads * states.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0);
  }
  return unit.held?.(sizes, chosen) ?? keys * (keyHeads * headDim + valueHeads * valueDim);
}
