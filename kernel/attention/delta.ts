import type { Value } from "../graph/index.js";
import { build } from "../graph/index.js";
import { chunks } from "./decayed.js";
import { places } from "./lengths.js";

const transposed = (x: Value): Value => build.transpose(x, [0, 1, 3, 2]);

/** 1 where row > column, or row ≥ column. */
function triangle(like: Value, size: number, diagonal: "with diagonal" | "without diagonal"): Value {
  const at = places(like, size);
  const [row, column] = [build.unsqueeze(at, [1]), at];
  const inside = diagonal === "with diagonal" ? build.greaterOrEqual(row, column) : build.greater(row, column);
  return build.cast(inside, like.dtype);
}

/**
 * (I + A)⁻¹ of a strictly lower triangular A: (I − A)(I + A²)(I + A⁴)…, exact after log₂ of the size.
 *
 * Shapes   […,C,C]
 */
function unitInverse(a: Value, size: number): Value {
  const at = places(a, size);
  const identity = build.cast(build.equal(build.unsqueeze(at, [1]), at), a.dtype);
  let inverse = build.sub(identity, a);
  let power = a;
  for (let reach = 2; reach < size; reach *= 2) {
    power = build.matMul(power, power);
    inverse = build.matMul(inverse, build.add(identity, power));
  }
  return inverse;
}

/** Sums of log gates up to and including each token, [B,H,C,1]. */
function sums(logGate: Value): Value {
  const size = logGate.shape[2] as number;
  return build.matMul(triangle(logGate, size, "with diagonal"), logGate);
}

/** exp(G_i − G_j) for j ≤ i, 0 above the diagonal: the exponential sees no positive number. */
function decayBetween(total: Value, visible: Value): Value {
  const apart = build.sub(total, transposed(total));
  return build.mul(build.exp(build.mul(apart, visible)), visible);
}

export interface DeltaCall {
  /** [B,H,T,D] */
  readonly q: Value;
  readonly k: Value;
  /** [B,H,T,E] */
  readonly v: Value;
  /** How much of the prediction error is written, [B,H,T,1]. */
  readonly beta: Value;
  /** Logarithm of what is kept of the memory before each token, [B,H,T,1]; all of it when left out. */
  readonly logKept?: Value | undefined;
}

interface Within {
  readonly solved: Value;
  /** q·kᵀ with decay, lower triangular, [B,H,C,C]. */
  readonly products: Value;
  readonly total: Value | undefined;
}

/** The triangular system of one chunk (or of the whole sequence). */
function within({ q, k, beta, logKept }: DeltaCall): Within {
  const size = q.shape[2] as number;
  const visible = triangle(q, size, "with diagonal");
  const total = logKept ? sums(logKept) : undefined;
  const decay = total ? decayBetween(total, visible) : visible;
  const overlap = build.mul(build.mul(build.matMul(k, transposed(k)), beta), decay);
  const solved = unitInverse(build.mul(overlap, triangle(q, size, "without diagonal")), size);
  return { solved, products: build.mul(build.matMul(q, transposed(k)), decay), total };
}

/**
 * The delta rule with a gate, in chunks: each token replaces what the memory answers to its key by a step towards its value.
 *
 *   S_t = g_t·S_{t−1} + β_t·k_t ⊗ (v_t − g_t·S_{t−1}ᵀk_t)        z_t = S_tᵀ q_t
 *
 * Shapes   → [B,H,T,E]
 * Source   chunks: arXiv:2406.06484 §3.2; with the gate arXiv:2412.06464 §3.3
 */
export function deltaProducts({ q, k, v, beta, logKept }: DeltaCall): Value {
  const parts = [q, k, v, beta].map((x) => chunks(x));
  const gates = logKept ? chunks(logKept) : [];
  const count = parts[0].length;
  const outputs: Value[] = [];
  let state: Value | undefined; // [B,H,D,E]
  for (let c = 0; c < count; c++) {
    const [query, key, value, rate] = parts.map((part) => part[c]);
    const { solved, products, total } = within({ q: query, k: key, v: value, beta: rate, logKept: gates[c] });
    const since = total ? build.exp(total) : undefined; // what is left of the memory before the chunk
    const aged = (x: Value): Value => (since ? build.mul(x, since) : x);
    const target = state ? build.sub(value, build.matMul(aged(key), state)) : value;
    const written = build.matMul(solved, build.mul(target, rate)); // [B,H,C,E]
    let z = build.matMul(products, written);
    if (state) z = build.add(z, build.matMul(aged(query), state));
    outputs.push(z);
    if (c === count - 1) break;
    const size = query.shape[2] as number;
    const last = total ? build.slice(total, 2, size - 1, size) : undefined;
    const until = total && last ? build.mul(key, build.exp(build.sub(last, total))) : key;
    const added = build.matMul(transposed(until), written);
    const kept = state && last ? build.mul(state, build.exp(last)) : state;
    state = kept ? build.add(kept, added) : added;
  }
  return count === 1 ? outputs[0] : build.concat(outputs, 2);
}

/** The weights of the values in {@link deltaProducts}, [B,H,T,T]. */
export function deltaPattern(call: DeltaCall): Value {
  const { solved, products } = within(call);
  return build.mul(build.matMul(products, solved), transposed(call.beta));
}

/** One token. Shapes   memory [B,H,D,E] · q, k [B,H,1,D] · v [B,H,1,E] · beta, logKept [B,H,1,1] */
export function deltaStep(
  memory: Value,
  { q, k, v, beta, logKept }: DeltaCall,
): { readonly z: Value; readonly state: Value } {
  const kept = logKept ? build.mul(memory, build.exp(logKept)) : memory;
  const error = build.mul(build.sub(v, build.matMul(k, kept)), beta);
  const state = build.add(kept, build.matMul(transposed(k), error));
  return { z: build.matMul(q, state), state };
}

/** The memory in plain numbers, token by token; weights of the values as coefficients of each. */
export function deltaReference(
  q: readonly (readonly number[])[],
  k: readonly (readonly number[])[],
  beta: readonly number[],
  kept: readonly number[],
): number[][] {
  // Row s of `memory` holds, per channel of keys, how much of v_s is stored there.
  const memory: number[][] = [];
  return q.map((query, t) => {
    for (const row of memory) row.forEach((x, d) => (row[d] = kept[t] * x));
    const answers = memory.map((row) => row.reduce((sum, x, d) => sum + x * k[t][d], 0));
    memory.forEach((row, s) => row.forEach((x, d) => (row[d] = x - beta[t] * answers[s] * k[t][d])));
    memory.push(k[t].map((x) => beta[t] * x));
    return q.map((_, s) => (s > t ? 0 : memory[s].reduce((sum, x, d) => sum + x * query[d], 0)));
  });
}
