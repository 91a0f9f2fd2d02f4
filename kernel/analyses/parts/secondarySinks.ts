import type { ResidualState } from "./residual.js";

/** A token whose residual stream points where that of token 0 does, for some layers. */
export interface SecondarySink {
  readonly position: number;
  /** The block after which it first does. */
  readonly createdAfter: number;
  /** In how many states it does. */
  readonly lifetime: number;
  /** Of the states that token 0's own life spans. */
  readonly share: number;
  readonly kind: "primary" | "secondary" | "noise";
}

/** States in which token 0 is a sink, half open: from its largest rise in norm to its largest fall after it. */
export function firstTokenLife(norms: readonly number[]): readonly [start: number, end: number] {
  const steps = norms.slice(1).map((norm, i) => norm - norms[i]);
  const rise = steps.indexOf(Math.max(...steps));
  const after = steps.slice(rise + 1);
  const fall = after.length === 0 ? steps.length : rise + 1 + after.indexOf(Math.min(...after));
  return [rise + 1, Math.min(fall + 1, norms.length)];
}

/**
 * Tokens that become sinks besides token 0.
 *
 *   life = [argmax Δ‖h_0‖ + 1, (argmin of Δ‖h_0‖ after it) + 1) · candidate: |cos(h_t, h_0)| > 0.9 inside it
 *   noise where lifetime ≤ 4; primary where lifetime ≥ L − 15; secondary in between
 *   for L ≤ 24 as shares of token 0's life: noise ≤ 1/5, primary ≥ 4/5
 *
 * Source   arXiv:2512.22213, its code; state 0 is the embedding, so that Δ_i is what block i adds
 * Differs  the bounds 4 and L − 15 leave no room in shallow models; there, shares of token 0's life are used
 */
export function secondarySinks(states: readonly Pick<ResidualState, "norms" | "cosines">[]): readonly SecondarySink[] {
  const layers = states.length - 1;
  const [start, end] = firstTokenLife(states.map(({ norms }) => norms[0]));
  const [noise, primary] = layers > 24 ? [4, layers - 15] : [(end - start) / 5, ((end - start) * 4) / 5];
  const found: SecondarySink[] = [];
  for (let position = 1; position < states[0].cosines.length; position++) {
    const alike: number[] = [];
    for (let state = start; state < end; state++) {
      if (Math.abs(states[state].cosines[position]) > 0.9) alike.push(state);
    }
    if (alike.length === 0) continue;
    const lifetime = alike.length;
    const kind = lifetime >= primary ? "primary" : lifetime > noise ? "secondary" : "noise";
    found.push({ position, createdAfter: alike[0] - 1, lifetime, share: lifetime / (end - start), kind });
  }
  return found;
}
