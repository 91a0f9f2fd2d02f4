import type { Value } from "../../graph/index.js";
import { build } from "../../graph/index.js";
import { OptionError, wholeNumber } from "../../tensor/index.js";
import { channel, ownTokens } from "../channels.js";
import { lengthOf } from "../lengths.js";
import type { Mechanism } from "../mechanism.js";
import { mechanism, sizesOf } from "../mechanism.js";
import { softmaxRow } from "../reference.js";
import { perHead } from "../steps.js";

interface GaussianGateOptions {
  /** How many densities are multiplied. */
  readonly densities: number;
  /** Added to the variance. */
  readonly epsilon: number;
}

function tokensOf(tokens: number): number {
  if (tokens > 1) return tokens;
  throw new OptionError("gaussianGate: expected at least 2 tokens, as one has no variance");
}

/**
 * Every channel weighs its tokens by how usual their values are: a product of bell curves around its own mean.
 *
 *   g[t,c] ∝ Π_k exp(−(v[t,c] − μ_c − δ_k)² / (2·w_k²·s_c²)), Σ_t g = 1        z = g ⊙ v
 *
 * μ_c and s_c² are mean and variance over tokens (divided by T − 1); δ_k and w_k are learned for each head. Queries and keys
 * have no say; the pattern is diagonal, the mean of g over channels.
 *
 * Range    weights sum to 1 over tokens for each channel; wide curves weigh all tokens alike
 * Source   Gaussian adaptive attention, arXiv:2401.11143 §3 and the authors' code
 * Differs  widths start at 1, not at normal random numbers
 */
export const gaussianGate: Mechanism<GaussianGateOptions> = mechanism<GaussianGateOptions>({
  name: "gaussianGate",
  summary: "every channel weighs its tokens by bell curves around its own mean",
  source: "arXiv:2401.11143 §3",
  differs: "widths start at 1, not at normal random numbers",
  rows: [70],
  defaults: { densities: 2, epsilon: 1e-8 },
  promises: { sees: "all", rows: "at most one", mixesValues: false },
  cost: { time: "T·K·D", state: "not causal" },
  parameters: ({ heads }, { densities }) => ({
    offset: { shape: [heads, densities], initial: 0 },
    width: { shape: [heads, densities], initial: 1 },
  }),
  build: ({ q, k, v, parameters }, { densities, epsilon }) => {
    wholeNumber("gaussianGate", "densities", densities);
    const sizes = sizesOf("gaussianGate", { q, k, v });
    const tokens = tokensOf(lengthOf("gaussianGate", sizes));
    const values = perHead(v, sizes.heads);
    const centred = build.sub(values, build.reduceMean(values, [2], true));
    const squares = build.reduceSum(build.mul(centred, centred), [2], true);
    const deviation = build.sqrt(build.add(build.div(squares, tokens - 1), epsilon)); // [B,H,1,E]
    const each = (x: Value): Value => build.unsqueeze(x, [2, 3]); // [H,K] → [H,K,1,1]
    const apart = build.sub(build.unsqueeze(centred, [2]), each(parameters["offset"])); // [B,H,K,T,E]
    const scaled = build.div(build.div(apart, build.unsqueeze(deviation, [2])), each(parameters["width"]));
    const exponent = build.mul(build.reduceSum(build.mul(scaled, scaled), [2]), -0.5); // [B,H,T,E]
    const gate = build.softmax(exponent, 2);
    return { z: build.mul(gate, values), pattern: build.mul(ownTokens(q), build.reduceMean(gate, [3], true)) };
  },
  reference: ({ v, head, parameters }, { densities, epsilon }) => {
    const gates = v[0].map((_, c) => {
      const x = channel(v, c);
      const mean = x.reduce((a, b) => a + b, 0) / x.length;
      const variance = x.reduce((sum, y) => sum + (y - mean) ** 2, 0) / (x.length - 1) + epsilon;
      const exponents = x.map((y) =>
        Array.from({ length: densities }, (__, at) => {
          const apart = y - mean - parameters["offset"][head * densities + at];
          return -(apart ** 2) / (2 * parameters["width"][head * densities + at] ** 2 * variance);
        }).reduce((a, b) => a + b, 0),
      );
      return softmaxRow(exponents);
    });
    const mean = v.map((_, t) => gates.reduce((sum, gate) => sum + gate[t], 0) / gates.length);
    return {
      z: v.map((row, t) => row.map((x, c) => gates[c][t] * x)),
      pattern: v.map((_, i) => v.map((__, j) => (i === j ? mean[i] : 0))),
    };
  },
});
