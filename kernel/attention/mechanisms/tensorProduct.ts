import { build } from "../../graph/index.js";
import { lengthsOf } from "../lengths.js";
import type { Mechanism } from "../mechanism.js";
import { mechanism, sizesOf } from "../mechanism.js";
import { softmaxRow } from "../reference.js";
import type { Scale } from "../steps.js";
import { perHead, scaleOf } from "../steps.js";

interface TensorProductOptions {
  readonly scale: Scale;
}

/**
 * Third-order attention: a query attends to pairs of keys.
 *
 *   weight[i,j,l] ∝ exp(scale · Σ_d q_i[d]·k_j[d]·k'_l[d])        z_i = Σ_{j,l} weight[i,j,l] · v_j ⊙ v'_l
 *
 * The pattern is the weight of each first key, summed over its partners; k' and v' are the gates `keys2` and `values2`.
 *
 * Range    rows sum to 1
 * Source   arXiv:2310.04064 definition 1.2 (Kronecker products of keys and of values)
 */
export const tensorProduct: Mechanism<TensorProductOptions> = mechanism({
  name: "tensorProduct",
  summary: "a query attends to pairs of keys",
  source: "arXiv:2310.04064 definition 1.2",
  rows: [72],
  defaults: { scale: "1/√D" },
  promises: { sees: "all", rows: "one", mixesValues: false },
  cost: { time: "T³·D", state: "not causal" },
  gates: {
    keys2: { per: "keyChannel", range: [-Infinity, Infinity] },
    values2: { per: "valueChannel", range: [-Infinity, Infinity] },
  },
  build: ({ q, k, v, gates }, { scale }) => {
    const sizes = sizesOf("tensorProduct", { q, k, v });
    const { batch, heads, headDim, valueDim } = sizes;
    const [queries, keys] = lengthsOf("tensorProduct", sizes);
    const paired = build.mul(build.unsqueeze(perHead(k, heads), [3]), build.unsqueeze(gates["keys2"], [2])); // [B,H,K,K,D]
    const flat = build.reshape(paired, [batch, heads, keys * keys, headDim]);
    const scores = build.mul(build.matMul(q, build.transpose(flat, [0, 1, 3, 2])), scaleOf(scale, headDim));
    const weights = build.softmax(scores, -1); // [B,H,Q,K²]
    const values = build.mul(build.unsqueeze(perHead(v, heads), [3]), build.unsqueeze(gates["values2"], [2]));
    return {
      pattern: build.reduceSum(build.reshape(weights, [batch, heads, queries, keys, keys]), [4]),
      z: build.matMul(weights, build.reshape(values, [batch, heads, keys * keys, valueDim])),
    };
  },
  reference: ({ q, k, v, gates }, { scale }) => {
    const factor = scaleOf(scale, q[0].length);
    const [other, otherValues] = [gates["keys2"], gates["values2"]];
    const pairs = k.flatMap((_, j) => k.map((__, l) => [j, l] as const));
    const weights = q.map((query) =>
      softmaxRow(pairs.map(([j, l]) => factor * query.reduce((sum, x, d) => sum + x * k[j][d] * other[l][d], 0))),
    );
    return {
      pattern: weights.map((row) =>
        k.map((_, j) => row.slice(j * k.length, (j + 1) * k.length).reduce((a, b) => a + b, 0)),
      ),
      z: weights.map((row) =>
        v[0].map((_, e) => pairs.reduce((sum, [j, l], at) => sum + row[at] * v[j][e] * otherValues[l][e], 0)),
      ),
    };
  },
  limits: [{ when: "the second keys and values are 1", gates: { keys2: 1, values2: 1 }, equals: "softmax" }],
});
