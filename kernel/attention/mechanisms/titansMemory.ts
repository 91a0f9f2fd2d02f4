import type { Value } from "../../graph/index.js";
import { build, repeat } from "../../graph/index.js";
import { lengthOf, places } from "../lengths.js";
import type { Call, Mechanism } from "../mechanism.js";
import { mechanism, sizesOf } from "../mechanism.js";
import { dot } from "../reference.js";
import type { Scale } from "../steps.js";
import { perHead, scaleOf } from "../steps.js";

interface TitansMemoryOptions {
  readonly scale: Scale;
}

/** Memory and momentum, [B,H,D,E] each. */
interface State {
  readonly memory: Value;
  readonly momentum: Value;
}

interface Token {
  readonly q: Value;
  readonly k: Value;
  readonly v: Value;
  readonly gates: Readonly<Record<string, Value>>;
}

/** One token. Shapes   q, k [B,H,1,D] · v [B,H,1,E] · gates [B,H,1] */
function stepped({ memory, momentum }: State, { q, k, v, gates }: Token): { readonly z: Value; readonly state: State } {
  const gate = (name: string): Value => build.unsqueeze(gates[name], [3]);
  const error = build.sub(v, build.matMul(k, memory));
  const push = build.mul(build.matMul(build.transpose(k, [0, 1, 3, 2]), error), gate("beta"));
  const moved = build.add(build.mul(momentum, gate("momentum")), push);
  const next = build.add(build.mul(memory, build.sub(1, gate("forget"))), moved);
  return { z: build.matMul(q, next), state: { memory: next, momentum: moved } };
}

/** Every token in turn, from an empty memory. */
function inTurn(q: Value, k: Value, v: Value, gates: Readonly<Record<string, Value>>): Value {
  const [batch, heads, length, headDim] = q.shape;
  const byToken = (x: Value): Value => build.unsqueeze(build.transpose(x, [2, 0, 1, 3]), [3]); // [T,B,H,1,X]
  const each = (name: string): Value => build.unsqueeze(build.transpose(gates[name], [2, 0, 1]), [3]); // [T,B,H,1]
  const empty = build.expand(build.scalar(0, q.dtype), [batch, heads, headDim, v.shape[3]]);
  const over = { beta: each("beta"), momentum: each("momentum"), forget: each("forget") };
  const { collected } = repeat(
    length,
    { memory: empty, momentum: empty },
    (state, { query, key, value, ...own }) => {
      const { z, state: next } = stepped(state, { q: query, k: key, v: value, gates: own });
      return { next: { ...next }, collect: { z } };
    },
    { over: { query: byToken(q), key: byToken(k), value: byToken(v), ...over } },
  );
  return build.squeeze(build.transpose(collected.z, [1, 2, 0, 3, 4]), [3]);
}

function operands({ q, k, v }: Call, { scale }: TitansMemoryOptions): Pick<Token, "q" | "k" | "v"> {
  const { heads, headDim } = sizesOf("titansMemory", { q, k, v });
  return { q: build.mul(q, scaleOf(scale, headDim)), k: perHead(k, heads), v: perHead(v, heads) };
}

/**
 * A matrix memory trained at test time, by gradient steps with momentum and forgetting on how well it maps keys to values.
 *
 *   S_t = η_t·S_{t−1} + θ_t·k_t ⊗ (v_t − M_{t−1}ᵀk_t)   M_t = (1 − α_t)·M_{t−1} + S_t   z_t = scale · M_tᵀq_t
 *
 * Gates: `beta` is θ, `momentum` η, `forget` α.
 *
 * Range    weights of either sign; stable for small θ·‖k‖²
 * Source   Titans, arXiv:2501.00663 eq. 9, 13 and 14, with a linear memory and the loss ½‖M(k) − v‖²
 * Differs  token by token, not in the paper's parallel chunks; keys are taken as they are. The paper's wirings of memory and
 *          attention (MAC, MAG, MAL) are not here: layers of both after one another are the nearest
 */
export const titansMemory: Mechanism<TitansMemoryOptions> = mechanism({
  name: "titansMemory",
  summary: "a matrix memory trained at test time with momentum and forgetting",
  source: "arXiv:2501.00663 eq. 13–14",
  differs:
    "a linear memory, token by token; keys are taken as they are; its wirings with attention (MAC, MAG, MAL) are not here",
  rows: [67],
  defaults: { scale: "1/√D" },
  promises: { sees: "causal", rows: "free", mixesValues: true },
  cost: { time: "T·D²", state: "2·D²" },
  gates: {
    beta: { per: "head", range: [0, 1] },
    momentum: { per: "head", range: [0, 1] },
    forget: { per: "head", range: [0, 1], initial: 0.02 },
  },
  build: (call, options) => {
    const sizes = sizesOf("titansMemory", call);
    const length = lengthOf("titansMemory", sizes);
    const { q, k, v } = operands(call, options);
    // What each value would leave in the answers: the memory of one-hot values.
    const at = places(q, length);
    const marks = build.cast(build.equal(build.unsqueeze(at, [1]), at), q.dtype);
    const each = build.expand(marks, [sizes.batch, sizes.heads, length, length]);
    return { pattern: inTurn(q, k, each, call.gates), z: inTurn(q, k, v, call.gates) };
  },
  reference: ({ q, k, gates }, { scale }) => {
    const factor = scaleOf(scale, q[0].length);
    const [beta, momentum, forget] = ["beta", "momentum", "forget"].map((name) => gates[name].map(([x]) => x));
    // Per value, how much of it the memory and its momentum hold along each channel of the keys.
    const held = k.map((row) => row.map(() => 0));
    const moving = k.map((row) => row.map(() => 0));
    return {
      pattern: q.map((query, t) => {
        const answers = held.map((row) => dot(row, k[t]));
        for (let s = 0; s <= t; s++) {
          const error = Number(s === t) - answers[s];
          moving[s] = moving[s].map((x, d) => momentum[t] * x + beta[t] * k[t][d] * error);
          held[s] = held[s].map((x, d) => (1 - forget[t]) * x + moving[s][d]);
        }
        return k.map((_, s) => (s > t ? 0 : factor * dot(held[s], query)));
      }),
    };
  },
  limits: [
    { when: "there is no momentum and nothing is forgotten", gates: { momentum: 0, forget: 0 }, equals: "deltaRule" },
  ],
  stream: {
    state: ({ headDim, valueDim }) => ({
      memory: { shape: [headDim, valueDim], initial: 0 },
      momentum: { shape: [headDim, valueDim], initial: 0 },
    }),
    step: ({ memory, momentum }, token, options) => {
      const { z, state } = stepped({ memory, momentum }, { ...operands(token, options), gates: token.gates! });
      return { z, state: { ...state } };
    },
  },
});
