import type { Value } from "../../graph/index.js";
import { build } from "../../graph/index.js";
import { lengthsOf } from "../lengths.js";
import type { Mechanism } from "../mechanism.js";
import { mechanism, sizesOf } from "../mechanism.js";
import { dot, softmaxRow } from "../reference.js";
import { perHead } from "../steps.js";

interface FlowOptions {
  /** Added to both factors of every flow, against division by 0. */
  readonly epsilon: number;
}

const transposed = (x: Value): Value => build.transpose(x, [0, 1, 3, 2]);
/** Sum over tokens, [B,H,1,D]. */
const total = (x: Value): Value => build.reduceSum(x, [2], true);
const clamped = (x: Value): Value => {
  const low = build.where(build.less(x, -1), -1, x);
  return build.where(build.greater(low, 1), 1, low);
};

/**
 * Attention as a flow of fixed total from values to outputs: keys compete for what leaves, queries share what arrives.
 *
 *   I_i = φ(q_i)·Σ_j φ(k_j)   O_j = φ(k_j)·Σ_i φ(q_i)   Î_i = φ(q_i)·Σ_j φ(k_j)/O_j   Ô_j = φ(k_j)·Σ_i φ(q_i)/I_i
 *   z_i = σ(Î_i·Q/K) · φ(q_i)/I_i · Σ_j φ(k_j) ⊗ (softmax(Ô)_j·K · v_j),  φ = σ
 *
 * Range    weights ≥ 0; before gate and competition rows of φ(q)/I·φ(k)ᵀ sum to 1
 * Source   Flowformer, arXiv:2202.06258 eq. 5–8
 * Differs  as in the authors' code: Ô is clamped to −1 … 1, and ε is added to both factors of each flow
 */
export const flow: Mechanism<FlowOptions> = mechanism({
  name: "flow",
  summary: "linear attention as a flow of conserved total, with competition among keys",
  source: "arXiv:2202.06258 eq. 5–8",
  differs: "the competition is clamped to −1 … 1, and ε is added to both factors, as in the authors' code",
  rows: [54],
  defaults: { epsilon: 1e-6 },
  promises: { sees: "all", rows: "free", mixesValues: true },
  cost: { time: "T·D²", state: "not causal" },
  build: ({ q, k, v }, { epsilon }) => {
    const sizes = sizesOf("flow", { q, k, v });
    const [queries, keys] = lengthsOf("flow", sizes);
    const [a, b] = [build.sigmoid(q), build.sigmoid(perHead(k, sizes.heads))]; // [B,H,Q,D], [B,H,K,D]
    const against = (x: Value, sum: Value): Value =>
      build.reduceSum(build.mul(build.add(x, epsilon), build.add(sum, epsilon)), [3], true);
    const incoming = against(a, total(b)); // [B,H,Q,1]
    const outgoing = against(b, total(a)); // [B,H,K,1]
    const conservedIn = against(a, total(build.div(b, outgoing)));
    const conservedOut = clamped(against(b, total(build.div(a, incoming))));
    const gate = build.sigmoid(build.mul(conservedIn, queries / keys));
    const competition = build.mul(build.softmax(conservedOut, 2), keys);
    const readers = build.mul(build.div(a, incoming), gate);
    const writers = build.mul(b, competition);
    const memory = build.matMul(transposed(writers), perHead(v, sizes.heads)); // [B,H,D,E]
    return { pattern: build.matMul(readers, transposed(writers)), z: build.matMul(readers, memory) };
  },
  reference: ({ q, k }, { epsilon }) => {
    const logistic = (x: number): number => 1 / (1 + Math.exp(-x));
    const [a, b] = [q, k].map((rows) => rows.map((row) => row.map(logistic)));
    const sum = (rows: readonly (readonly number[])[]): number[] =>
      rows[0].map((_, d) => rows.reduce((s, row) => s + row[d], 0));
    const against = (row: readonly number[], other: readonly number[]): number =>
      row.reduce((s, x, d) => s + (x + epsilon) * (other[d] + epsilon), 0);
    const incoming = a.map((row) => against(row, sum(b)));
    const outgoing = b.map((row) => against(row, sum(a)));
    const perOut = sum(b.map((row, j) => row.map((x) => x / outgoing[j])));
    const perIn = sum(a.map((row, i) => row.map((x) => x / incoming[i])));
    const competition = softmaxRow(b.map((row) => Math.min(1, Math.max(-1, against(row, perIn)))));
    return {
      pattern: a.map((row, i) => {
        const gate = logistic((against(row, perOut) * a.length) / b.length);
        return b.map((key, j) => (gate * dot(row, key) * competition[j] * b.length) / incoming[i]);
      }),
    };
  },
  limits: [],
});
