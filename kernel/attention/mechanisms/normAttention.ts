import type { Value } from "../../graph/index.js";
import { build } from "../../graph/index.js";
import { OptionError, wholeNumber } from "../../tensor/index.js";
import { chunkLength, decayedProducts, decayedStep, decayTable } from "../decayed.js";
import { lengthOf, places, table } from "../lengths.js";
import type { Call, Mechanism, Sizes } from "../mechanism.js";
import { mechanism, sizesOf } from "../mechanism.js";
import type { ReferenceHead } from "../reference.js";
import { atUnitPower, perHead, products, silu } from "../steps.js";

interface NormAttentionOptions {
  /** φ of queries and keys. */
  readonly feature: "silu" | "identity";
  /** How fast head h = 1 … H forgets: `"8h/H"` as printed, `"ALiBi slopes"`, 2^(−8h/H), as released. */
  readonly slopes: "8h/H" | "ALiBi slopes";
  /** l / L in layer l of L, 0 … 1: λ_h = exp(−slope_h · (1 − depth)). */
  readonly depth: number;
  /** Whether angles count too (LRPE-d), or the decay alone. */
  readonly turned: boolean;
  /** Whether what all heads give is brought to a mean square of 1. */
  readonly normalised: boolean;
  /** Tokens per chunk; changes no result. */
  readonly block: number;
}

const slopes: Readonly<Record<NormAttentionOptions["slopes"], (h: number, heads: number) => number>> = {
  "8h/H": (h, heads) => (8 * h) / heads,
  "ALiBi slopes": (h, heads) => 2 ** ((-8 * h) / heads),
};

/** λ of each head. */
function decaysOf(heads: number, { slopes: kind, depth }: NormAttentionOptions): number[] {
  if (!Object.hasOwn(slopes, kind))
    throw new OptionError(`normAttention: slopes must be ${Object.keys(slopes).map((name) => JSON.stringify(name)).join(" or ")}, got ${JSON.stringify(kind)}`); // prettier-ignore
  if (!(depth >= 0 && depth <= 1))
    throw new OptionError(`normAttention: depth must be a number from 0 to 1, got ${String(depth)}`);
  return Array.from({ length: heads }, (_, h) => Math.exp(-slopes[kind](h + 1, heads) * (1 - depth)));
}

/** 10000^(−2c/(H·D)) for channel c = h·D + d of all heads: where angles per token start. */
function firstAngle(heads: number, dim: number, head: number, d: number): number {
  return 10_000 ** ((-2 * (head * dim + d)) / (heads * dim));
}

/** φ, and with angles its products with their cosines and sines. Shapes   x [B,H,T,D] → [B,H,T,D] or [B,H,T,2·D] */
function featuresOf(x: Value, at: Value, { parameters }: Call, { feature, turned }: NormAttentionOptions): Value {
  if (feature !== "silu" && feature !== "identity")
    throw new OptionError(`normAttention: feature must be "silu" or "identity", got ${JSON.stringify(feature)}`);
  const made = feature === "silu" ? silu(x) : x;
  if (!turned) return made;
  const [, heads, , dim] = x.shape as [Value["shape"][0], number, Value["shape"][0], number];
  const first = table(x, [heads, 1, dim], (h, _, d) => firstAngle(heads, dim, h, d));
  const angles = build.mul(at, build.mul(first, build.unsqueeze(parameters!["turn"], [1]))); // [H,T,D]
  return build.concat([build.mul(made, build.cos(angles)), build.mul(made, build.sin(angles))], 3);
}

/** Norm over all heads, then the gate. */
function written(z: Value, { gates }: Call, { normalised }: NormAttentionOptions): Value {
  return build.mul(normalised ? atUnitPower(z, [1, 3]) : z, gates!["gate"]);
}

/** One head before norm and gate: weights, and what they mix. */
function plainHead(
  { all, parameters, heads }: ReferenceHead,
  head: number,
  options: NormAttentionOptions,
): { pattern: number[][]; z: number[][] } {
  const { feature, turned } = options;
  const [q, k, v] = [all.q[head], ...[all.k, all.v].map((rows) => rows[Math.floor((head * rows.length) / heads)])];
  const dim = q[0].length;
  const decay = decaysOf(heads, options)[head];
  const act = (x: number): number => (feature === "silu" ? x / (1 + Math.exp(-x)) : x);
  const angle = (d: number): number =>
    turned ? parameters["turn"][head * dim + d] * firstAngle(heads, dim, head, d) : 0;
  const pattern = q.map((row, t) =>
    k.map((key, s) =>
      s > t
        ? 0
        : decay ** (t - s) * row.reduce((sum, x, d) => sum + act(x) * act(key[d]) * Math.cos(angle(d) * (t - s)), 0),
    ),
  );
  return { pattern, z: pattern.map((row) => v[0].map((_, e) => row.reduce((sum, w, s) => sum + w * v[s][e], 0))) };
}

/**
 * Linear attention that is normed behind the product instead of row by row, and gated: the token mixer of TransNormerLLM.
 *
 *   o_t = Σ_{s≤t} λ_h^{t−s} Σ_d φ(q_t)_d · φ(k_s)_d · cos(θ_d·(t − s)) · v_s
 *   z_t = u_t ⊙ o_t / √(mean over all heads' channels of o_t²)        u the gate
 *
 * With angles it is LRPE-d, whose cosine is the product of [φ(q)·cos, φ(q)·sin] and [φ(k)·cos, φ(k)·sin]; without them the
 * decay alone. The paper has angles in the first layer only. `transnormer` says the whole block.
 *
 * Range    an o of zeros stays zero
 * Source   TransNormerLLM, arXiv:2307.14995: LRPE-d eq. 1–2, gated linear attention eq. 3–4, SRMSNorm eq. 8
 * Differs  θ = turn · 10000^(−2c/(H·D)), where turn is learned and starts at 1; the paper learns θ itself. Slopes are those of
 *          the released code by default
 */
export const normAttention: Mechanism<NormAttentionOptions> = mechanism<NormAttentionOptions>({
  name: "normAttention",
  summary: "linear attention with decay and angles, normed over all heads and gated: TransNormerLLM",
  source: "arXiv:2307.14995 eq. 1–4, 8",
  differs:
    "learned angles are multiples of their start; slopes are those of the released code by default; `transnormer` makes the whole block",
  rows: [154],
  defaults: { feature: "silu", slopes: "ALiBi slopes", depth: 0, turned: true, normalised: true, block: chunkLength },
  alsoAsked: [{ turned: false, slopes: "8h/H", depth: 0.75 }, { block: 3 }],
  promises: { sees: "causal", rows: "free", mixesValues: false },
  cost: { time: "T·2D·(D + 64)", state: "2·D² + 1; D² + 1 without angles" },
  parameters: ({ heads, headDim }, { turned }) => (turned ? { turn: { shape: [heads, headDim], initial: 1 } } : {}),
  gates: { gate: { per: "valueChannel", range: [-Infinity, Infinity] } },
  build: (call, options) => {
    const sizes = sizesOf("normAttention", call);
    const length = lengthOf("normAttention", sizes);
    const decay = decaysOf(sizes.heads, options);
    const at = build.unsqueeze(places(call.q, length), [1]); // [T,1]
    const [q, k] = [call.q, perHead(call.k, sizes.heads)].map((x) => featuresOf(x, at, call, options));
    const most = wholeNumber("normAttention", "block", options.block);
    const z = decayedProducts(q, k, perHead(call.v, sizes.heads), decay, most);
    return { pattern: build.mul(products(q, k), decayTable(q, decay, length)), z: written(z, call, options) };
  },
  reference: (head, options) => {
    const each = Array.from({ length: head.heads }, (_, h) => plainHead(head, h, options));
    const { pattern, z } = each[head.head];
    const power = z.map((_, t) => {
      const all = each.flatMap((one) => one.z[t]);
      return options.normalised ? Math.sqrt(all.reduce((sum, x) => sum + x * x, 0) / all.length) : 1;
    });
    return { pattern, z: z.map((row, t) => row.map((x, e) => (head.gates["gate"][t][e] * x) / power[t])) };
  },
  limits: [
    {
      when: "nothing is normed, gated or turned",
      options: { feature: "identity", normalised: false },
      parameters: { turn: 0 },
      gates: { gate: 1 },
      equals: "lightning",
      with: { scale: 1 },
    },
    {
      when: "neither, and in the last layer",
      options: { feature: "identity", normalised: false, turned: false, depth: 1 },
      gates: { gate: 1 },
      equals: "linear",
      with: { feature: "identity", normalised: false },
    },
  ],
  stream: {
    state: ({ headDim, valueDim }: Sizes, { turned }) => ({
      memory: { shape: [turned ? 2 * headDim : headDim, valueDim], initial: 0 },
      time: { shape: [1, 1], initial: 0 },
    }),
    step: ({ memory, time }, token, options) => {
      const { heads } = sizesOf("normAttention", token);
      const [q, k] = [token.q, perHead(token.k, heads)].map((x) => featuresOf(x, time, token, options));
      const { z, state } = decayedStep(memory, q, k, perHead(token.v, heads), decaysOf(heads, options));
      return { z: written(z, token, options), state: { memory: state, time: build.add(time, 1) } };
    },
  },
});
