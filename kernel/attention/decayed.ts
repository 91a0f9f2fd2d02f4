import type { Value } from "../graph/index.js";
import { build } from "../graph/index.js";
import { past, places, table } from "./lengths.js";

/** Tokens per chunk: the products within one are a matrix, what lies before it is a state. */
export const chunkLength = 64;

/** Parts of axis 2, all of one size but for the last. */
export function chunks(x: Value, most: number = chunkLength): Value[] {
  const length = x.shape[2] as number;
  return Array.from({ length: Math.ceil(length / most) }, (_, c) =>
    build.slice(x, 2, c * most, Math.min(length, (c + 1) * most)),
  );
}

/**
 * Causal products with a decay per head, in chunks: no matrix of queries and keys is formed.
 *
 *   z_t = Σ_{s≤t} λ_h^{t−s} (q_t·k_s) v_s
 *
 * Shapes   q, k [B,H,T,D] · v [B,H,T,E] · decay one λ per head → [B,H,T,E]
 * Source   arXiv:2401.04658 §3.2 (blocks within, a state between them)
 */
export function decayedProducts(q: Value, k: Value, v: Value, decay: readonly number[], most?: number): Value {
  const heads = decay.length;
  const parts = chunks(q, most);
  const [keys, values] = [chunks(k, most), chunks(v, most)];
  const outputs: Value[] = [];
  let state: Value | undefined; // [B,H,D,E]
  parts.forEach((query, c) => {
    const size = query.shape[2] as number;
    const power = (h: number, steps: number): number => (steps < 0 ? 0 : decay[h] ** steps);
    const within = table(q, [heads, size, size], (h, i, j) => power(h, i - j));
    const products = build.matMul(query, build.transpose(keys[c], [0, 1, 3, 2])); // [B,H,C,C]
    let z = build.matMul(build.mul(products, within), values[c]);
    if (state) {
      const since = table(q, [heads, size, 1], (h, i) => power(h, i + 1));
      z = build.add(z, build.matMul(build.mul(query, since), state));
    }
    outputs.push(z);
    if (c === parts.length - 1) return;
    const until = table(q, [heads, size, 1], (h, i) => power(h, size - 1 - i));
    const added = build.matMul(build.transpose(build.mul(keys[c], until), [0, 1, 3, 2]), values[c]);
    state = state
      ? build.add(
          build.mul(
            state,
            table(q, [heads, 1, 1], (h) => power(h, size)),
          ),
          added,
        )
      : added;
  });
  return outputs.length === 1 ? outputs[0] : build.concat(outputs, 2);
}

/** λ_h^{t−s} for s ≤ t, 0 for later keys, [H,T,T]; made where the graph runs. */
export function decayTable(like: Value, decay: readonly number[], length: number): Value {
  const at = places(like, length);
  const apart = build.maximum(build.sub(build.unsqueeze(at, [1]), at), 0);
  const rate = table(like, [decay.length, 1, 1], (h) => decay[h]);
  return build.where(past(like, length), build.pow(rate, apart), 0);
}

/** One token: S ← λ·S + kᵀv, z = q·S. Shapes   state [B,H,D,E] · q, k [B,H,1,D] · v [B,H,1,E] */
export function decayedStep(
  state: Value,
  q: Value,
  k: Value,
  v: Value,
  decay: readonly number[],
): { readonly z: Value; readonly state: Value } {
  const kept = build.mul(
    state,
    table(q, [decay.length, 1, 1], (h) => decay[h]),
  );
  const next = build.add(kept, build.matMul(build.transpose(k, [0, 1, 3, 2]), v));
  return { z: build.matMul(q, next), state: next };
}
