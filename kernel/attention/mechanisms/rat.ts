import type { Value } from "../../graph/index.js";
import { build } from "../../graph/index.js";
import { wholeNumber } from "../../tensor/index.js";
import { lengthOf, places, table } from "../lengths.js";
import type { Call, Mechanism } from "../mechanism.js";
import { mechanism, sizesOf } from "../mechanism.js";
import { dot, softmaxRow } from "../reference.js";
import type { Scale } from "../steps.js";
import { maskedSoftmax, perHead, scaleOf } from "../steps.js";

interface RatOptions {
  readonly scale: Scale;
  /** Tokens that are read by the recurrence before it starts anew. */
  readonly chunk: number;
}

/** Tokens in chunks, filled up with zeros: [B,H,T,X] → [B,H,M,C,X]. */
function chunked(x: Value, size: number, count: number): Value {
  const [batch, heads, length, width] = x.shape;
  const missing = count * size - (length as number);
  const padded = missing === 0 ? x : build.pad(x, [[0, 0], [0, 0], [0, missing], [0, 0]]); // prettier-ignore
  return build.reshape(padded, [batch, heads, count, size, width]);
}

/** The recurrence within each chunk, s_t = g_t·s_{t−1} + (1 − g_t)·x_t: one value per place, [B,H,M,1,…]. */
function states(x: (place: number) => Value, gate: (place: number) => Value, size: number): Value[] {
  const all: Value[] = [];
  for (let place = 0; place < size; place++) {
    const added = build.mul(x(place), build.sub(1, gate(place)));
    all.push(place === 0 ? added : build.add(build.mul(all[place - 1], gate(place)), added));
  }
  return all;
}

/** The chunk of each token, [T,1]. */
function chunkOf(q: Value, size: number): Value {
  return table(q, [q.shape[2] as number, 1], (t) => Math.floor(t / size));
}

interface Chunks {
  readonly size: number;
  readonly count: number;
}

/** Softmax of each query over the ends of earlier chunks and its own state: [B,H,T,M] and [B,H,T,1]. */
function weightsOf({ q, k, gates }: Call, { size, count }: Chunks, scale: Scale): { far: Value; own: Value } {
  const { heads, headDim, batch } = sizesOf("rat", { q, k, v: k });
  const length = q.shape[2] as number;
  const factor = scaleOf(scale, headDim);
  const [keys, gate] = [chunked(perHead(k, heads), size, count), chunked(gates!["keyGate"], size, count)];
  const at = (x: Value) => (place: number) => build.slice(x, 3, place, place + 1);
  const found = states(at(keys), at(gate), size);
  const ends = build.reshape(found[size - 1], [batch, heads, count, headDim]);
  const every = build.reshape(build.concat(found, 3), [batch, heads, count * size, headDim]);
  const own = build.reduceSum(build.mul(q, build.slice(every, 2, 0, length)), [3], true);
  const scores = build.mul(build.concat([build.matMul(q, build.transpose(ends, [0, 1, 3, 2])), own], 3), factor);
  const chunk = places(q, count + 1);
  const visible = build.or(build.less(chunk, chunkOf(q, size)), build.equal(chunk, count));
  const weights = maskedSoftmax(scores, visible);
  return { far: build.slice(weights, 3, 0, count), own: build.slice(weights, 3, count, count + 1) };
}

/** How much of each value of its chunk a state holds, the mean over channels: [B,H,M,C,C]. */
function shares(gate: Value, { size, count }: Chunks): Value {
  const parts = chunked(gate, size, count);
  const at = (place: number): Value => build.slice(parts, 3, place, place + 1); // [B,H,M,1,E]
  const only = (place: number): Value => table(gate, [size, 1], (j) => Number(j === place));
  const held = states((place) => build.expand(only(place), [1, 1, 1, size, 1]), at, size); // [B,H,M,C,E]
  return build.concat(
    held.map((each) => build.unsqueeze(build.reduceMean(each, [4]), [3])),
    3,
  );
}

/**
 * A recurrence within short chunks, softmax across them: a query attends to the last state of every earlier chunk and to
 * its own state.
 *
 *   k̃_t = g_t ⊙ k̃_{t−1} + (1 − g_t) ⊙ k_t, empty before each chunk; ṽ alike        z_t = softmax(scale · q_t·k̃) · ṽ
 *
 * The pattern is what a state holds of each value, averaged over channels, times the state's weight.
 *
 * Range    weights ≥ 0; rows sum to 1 less what the gates hold back at the start of a chunk
 * Source   RAT, arXiv:2507.04416 §3.1
 * Differs  keys and values have gates of their own; the gate of the output and rotations belong to the layer
 */
export const rat: Mechanism<RatOptions> = mechanism({
  name: "rat",
  summary: "a gated recurrence within chunks, softmax across their last states",
  source: "arXiv:2507.04416 §3.1",
  differs: "keys and values have gates of their own; the output gate belongs to the layer",
  rows: [86],
  defaults: { scale: "1/√D", chunk: 16 },
  promises: { sees: "causal", rows: "at most one", mixesValues: false },
  cost: { time: "T²/c·D", state: "2·(T/c + 1)·D" },
  held: ({ heads, headDim, valueDim, keys }, { chunk }) =>
    heads * (Math.floor(keys / chunk) + 1) * (headDim + valueDim),
  gates: {
    keyGate: { per: "keyChannel", range: [0, 1], initial: 0.85 },
    valueGate: { per: "valueChannel", range: [0, 1], initial: 0.85 },
  },
  build: (call, { scale, chunk }) => {
    wholeNumber("rat", "chunk", chunk);
    const { q, v, gates } = call;
    const sizes = sizesOf("rat", call);
    const { heads, batch, valueDim } = sizes;
    const length = lengthOf("rat", sizes);
    const size = Math.min(chunk, length);
    const chunks = { size, count: Math.ceil(length / size) };
    const { far, own } = weightsOf(call, chunks, scale);
    const whole = chunks.count * size;

    const [values, gate] = [perHead(v, heads), gates["valueGate"]].map((x) => chunked(x, size, chunks.count));
    const at = (x: Value) => (place: number) => build.slice(x, 3, place, place + 1);
    const found = states(at(values), at(gate), size);
    const ends = build.reshape(found[size - 1], [batch, heads, chunks.count, valueDim]);
    const every = build.reshape(build.concat(found, 3), [batch, heads, whole, valueDim]);
    const z = build.add(build.matMul(far, ends), build.mul(build.slice(every, 2, 0, length), own));

    const held = shares(gates["valueGate"], chunks);
    const atEnds = build.reshape(build.slice(held, 3, size - 1, size), [batch, heads, 1, chunks.count, size]);
    const spread = build.mul(build.unsqueeze(far, [4]), atEnds); // [B,H,T,M,C]
    const local = build.slice(build.reshape(held, [batch, heads, whole, 1, size]), 2, 0, length);
    const isOwn = build.unsqueeze(build.equal(chunkOf(q, size), places(q, chunks.count)), [2]);
    const near = build.mul(build.where(isOwn, local, 0), build.unsqueeze(own, [4]));
    const pattern = build.reshape(build.add(spread, near), [batch, heads, length, whole]);
    return { z, pattern: whole === length ? pattern : build.slice(pattern, 3, 0, length) };
  },
  reference: ({ q, k, v, gates }, { scale, chunk }) => {
    const factor = scaleOf(scale, q[0].length);
    // A state as the weights of what went in, one list per channel.
    const held = (gate: (typeof gates)[string]): number[][][] =>
      gate[0].map((_, d) =>
        gate.map((__, t) =>
          gate.map((___, j) => {
            const first = t - (t % chunk);
            if (j < first || j > t) return 0;
            let weight = 1 - gate[j][d];
            for (let s = j + 1; s <= t; s++) weight *= gate[s][d];
            return weight;
          }),
        ),
      );
    const [keyShares, valueShares] = [held(gates["keyGate"]), held(gates["valueGate"])];
    const keyState = (t: number): number[] =>
      keyShares.map((share, d) => share[t].reduce((sum, weight, j) => sum + weight * k[j][d], 0));
    const rows = q.map((query, t) => {
      const ends = Array.from({ length: Math.floor(t / chunk) }, (_, m) => (m + 1) * chunk - 1);
      const read = [...ends, t];
      const weights = softmaxRow(read.map((s) => factor * dot(query, keyState(s))));
      // Per channel of the values.
      return valueShares.map((share) =>
        q.map((_, j) => read.reduce((sum, s, at) => sum + weights[at] * share[s][j], 0)),
      );
    });
    return {
      pattern: rows.map((row) =>
        q.map((_, j) => row.reduce((sum, channel) => sum + channel[j], 0) / valueShares.length),
      ),
      z: rows.map((row) => row.map((channel, e) => dot(channel, v.map((value) => value[e])))), // prettier-ignore
    };
  },
  limits: [
    { when: "each token is a chunk and no gate holds back", options: { chunk: 1 }, gates: { keyGate: 0, valueGate: 0 }, equals: "softmax" }, // prettier-ignore
  ],
  alsoAsked: [{ chunk: 3 }],
});
