import type { Value } from "../../graph/index.js";
import { build, repeat } from "../../graph/index.js";
import { OptionError } from "../../tensor/index.js";
import { lengthOf, table } from "../lengths.js";
import type { Call, Mechanism } from "../mechanism.js";
import { mechanism, sizesOf } from "../mechanism.js";
import { dot } from "../reference.js";
import type { Scale } from "../steps.js";
import { perHead, scaleOf } from "../steps.js";

interface MirasOptions {
  readonly scale: Scale;
  /** What the memory's errors cost: ℓ_p (Moneta) or Huber's loss (Yaad). */
  readonly bias: "lp" | "huber";
  readonly p: number;
  /** Where Huber's loss turns from squares to sizes. */
  readonly delta: number;
}

function check({ bias, p, delta }: MirasOptions): void {
  if (bias !== "lp" && bias !== "huber")
    throw new OptionError(`miras: bias must be "lp" or "huber", got "${String(bias)}"`);
  if (!(p >= 2 && Number.isFinite(p))) throw new OptionError(`miras: p must be a number of at least 2, got ${p}`);
  if (!(delta > 0)) throw new OptionError(`miras: delta must be above 0, got ${delta}`);
}

/** By how much an error counts more or less than in the square loss: its gradient over the error. */
function weightOf(error: Value, { bias, p, delta }: MirasOptions): Value {
  const size = build.abs(error);
  if (bias === "huber") return build.div(delta, build.maximum(size, delta));
  if (p === 2) return build.add(build.mul(error, 0), 1);
  return build.mul(p === 3 ? size : build.pow(size, p - 2), p / 2);
}

interface Token {
  readonly q: Value;
  readonly k: Value;
  readonly v: Value;
  readonly beta: Value;
  readonly keep: Value;
}

const transposed = (x: Value): Value => build.transpose(x, [0, 1, 3, 2]);

/** One token. Shapes   memory [B,H,D,E] · q, k [B,H,1,D] · v [B,H,1,E] · gates [B,H,1,1] */
function stepped(memory: Value, token: Token, options: MirasOptions): { z: Value; state: Value; rate: Value } {
  const { q, k, v, beta, keep } = token;
  const error = build.sub(v, build.matMul(k, memory));
  const rate = build.mul(weightOf(error, options), beta); // [B,H,1,E]
  const written = build.matMul(transposed(k), build.mul(error, rate));
  const state = build.add(build.mul(memory, keep), written);
  return { z: build.matMul(q, state), state, rate };
}

function tokenOf({ q, k, v, gates }: Call, { scale }: MirasOptions): Token {
  const { heads, headDim } = sizesOf("miras", { q, k, v });
  return {
    q: build.mul(q, scaleOf(scale, headDim)),
    ...{ k: perHead(k, heads), v: perHead(v, heads) },
    ...{ beta: build.unsqueeze(gates!["beta"], [3]), keep: build.unsqueeze(gates!["keep"], [3]) },
  };
}

/** Tokens first: [B,H,T,X] → [T,B,H,1,X]. */
const byToken = (x: Value): Value => build.unsqueeze(build.transpose(x, [2, 0, 1, 3]), [3]);

/**
 * A matrix memory trained at test time on another loss than squares: errors that are large count more (ℓ_p) or less
 * (Huber).
 *
 *   M_t = α_t·M_{t−1} + β_t·k_t ⊗ f(v_t − M_{t−1}ᵀk_t)   z_t = scale · M_tᵀq_t
 *   f(e) = p/2 · e·|e|^{p−2}, or e·δ/max(|e|, δ), per channel
 *
 * What is written is not linear in the values, but is a weight per channel times them: the pattern is its mean.
 *
 * Range    weights of either sign; p = 2, or a large δ, is the delta rule. Above 2 a large error overshoots, and the memory
 *          can grow without bound where values are not small
 * Source   Miras, arXiv:2504.13173 §5: Moneta and Yaad, with a matrix memory
 * Differs  retention is the gate α; the ℓ_q and the entropy retention of Moneta and Memora are not here. Huber's loss is per
 *          channel with a fixed δ; keys are taken as they are
 */
export const miras: Mechanism<MirasOptions> = mechanism<MirasOptions>({
  name: "miras",
  summary: "a matrix memory trained at test time on an ℓ_p or Huber loss",
  source: "arXiv:2504.13173 §5",
  differs: "retention is a gate, not the ℓ_q or entropy one; a matrix memory; keys are taken as they are",
  rows: [66],
  defaults: { scale: "1/√D", bias: "huber", p: 3, delta: 1 },
  promises: { sees: "causal", rows: "free", mixesValues: false },
  cost: { time: "T·D²", state: "D²" },
  gates: { beta: { per: "head", range: [0, 1] }, keep: { per: "head", range: [0, 1], initial: 0.98 } },
  build: (call, options) => {
    check(options);
    const sizes = sizesOf("miras", call);
    const { batch, heads, headDim, valueDim } = sizes;
    const length = lengthOf("miras", sizes);
    const { q, k, v, beta, keep } = tokenOf(call, options);
    const over = { q: byToken(q), k: byToken(k), v: byToken(v), beta: byToken(beta), keep: byToken(keep) };
    const zeros = (...shape: (number | string)[]): Value => build.expand(build.scalar(0, q.dtype), shape);
    const { collected } = repeat(
      length,
      { memory: zeros(batch, heads, headDim, valueDim) },
      ({ memory }, token) => {
        const { z, state, rate } = stepped(memory, token, options);
        return { next: { memory: state }, collect: { z, rate } };
      },
      { over },
    );
    // The same with the rates held, per channel of the values: how much of each value is stored, and read.
    const marks = table(q, [length, 1, length], (t, _, s) => Number(s === t));
    const weights = repeat(
      length,
      { held: zeros(batch, heads, valueDim, headDim, length) },
      ({ held }, { query, key, rate, kept, mark }) => {
        const perChannel = build.transpose(rate, [0, 1, 3, 2]); // [B,H,E,1]
        const row = build.unsqueeze(key, [2]); // [B,H,1,1,D]
        const error = build.mul(build.sub(mark, build.matMul(row, held)), build.unsqueeze(perChannel, [4]));
        const added = build.matMul(build.transpose(row, [0, 1, 2, 4, 3]), error);
        const next = build.add(build.mul(held, build.unsqueeze(kept, [4])), added);
        const read = build.matMul(build.unsqueeze(query, [2]), next); // [B,H,E,1,T]
        return { next: { held: next }, collect: { row: build.reduceMean(read, [2, 3]) } };
      },
      { over: { query: over.q, key: over.k, rate: collected.rate, kept: over.keep, mark: marks } },
    );
    const first = (x: Value): Value => build.transpose(x, [1, 2, 0, 3]);
    return { pattern: first(weights.collected.row), z: first(build.squeeze(collected.z, [3])) };
  },
  reference: ({ q, k, v, gates }, { scale, bias, p, delta }) => {
    const factor = scaleOf(scale, q[0].length);
    const [beta, keep] = ["beta", "keep"].map((name) => gates[name].map(([x]) => x));
    const grow = (e: number): number =>
      bias === "lp" ? (p / 2) * Math.abs(e) ** (p - 2) : Math.min(1, delta / Math.abs(e));
    const channels = v[0].map((_, e) => {
      // What of each value the memory holds along each channel of the keys.
      let held: number[][] = [];
      return q.map((query, t) => {
        const answers = held.map((row) => dot(row, k[t]));
        const error = v[t][e] - answers.reduce((sum, x, s) => sum + x * v[s][e], 0);
        const rate = beta[t] * grow(error);
        held = held.map((row, s) => row.map((x, d) => keep[t] * x - rate * answers[s] * k[t][d]));
        held.push(k[t].map((x) => rate * x));
        return q.map((_, s) => (s > t ? 0 : factor * dot(held[s], query)));
      });
    });
    return {
      pattern: q.map((_, t) => q.map((__, s) => channels.reduce((sum, rows) => sum + rows[t][s], 0) / channels.length)),
      z: q.map((_, t) => channels.map((rows, e) => dot(rows[t], v.map((row) => row[e])))), // prettier-ignore
    };
  },
  limits: [
    { when: "errors count by their squares and nothing is forgotten", options: { bias: "lp", p: 2 }, gates: { keep: 1 }, equals: "deltaRule" }, // prettier-ignore
    { when: "δ is large and nothing is forgotten", options: { delta: 1e9 }, gates: { keep: 1 }, equals: "deltaRule" }, // prettier-ignore
  ],
  alsoAsked: [{ delta: 0.3 }],
  stream: {
    state: ({ headDim, valueDim }) => ({ memory: { shape: [headDim, valueDim], initial: 0 } }),
    step: ({ memory }, token, options) => {
      const { z, state } = stepped(memory, tokenOf(token, options), options);
      return { z, state: { memory: state } };
    },
  },
});
