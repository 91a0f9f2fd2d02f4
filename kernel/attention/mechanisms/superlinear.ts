import type { Value } from "../../graph/index.js";
import { build, repeat } from "../../graph/index.js";
import { OptionError, wholeNumber } from "../../tensor/index.js";
import { lengthOf, past, places, table } from "../lengths.js";
import type { Mechanism } from "../mechanism.js";
import { mechanism, sizesOf } from "../mechanism.js";
import { dot, softmaxRow } from "../reference.js";
import type { Scale } from "../steps.js";
import { hideScores, maskedSoftmax, perHead, products, scaleOf } from "../steps.js";
import { taken } from "../taken.js";

interface SuperlinearOptions {
  readonly scale: Scale;
  /** Spans that a query reads: those of the highest anchors. */
  readonly spans: number;
  /** A span reaches this many times √(i + 1) keys back from its anchor. */
  readonly backward: number;
  /** The first stripes are no anchors: the (n + 1)² − 1 last keys are read with every span. */
  readonly localStripes: number;
}

/** Queries that are read together. */
const queriesPerTurn = 64;

function check({ spans, backward, localStripes }: SuperlinearOptions): void {
  wholeNumber("superlinear", "spans", spans);
  wholeNumber("superlinear", "localStripes", localStripes, 0);
  if (!(backward >= 0 && Number.isFinite(backward)))
    throw new OptionError(`superlinear: backward must be a number of at least 0, got ${backward}`);
}

const reach = (i: number, backward: number): number => Math.ceil(backward * Math.sqrt(i + 1));

interface Spans {
  /** softmax over the anchors of the chosen spans, [B,H,T,m]. */
  readonly gate: Value;
  /** First and last key of each span, [B,H,T,m]; the last one is −1 where there is none. */
  readonly start: Value;
  readonly end: Value;
}

/** Step 1, search: the route of each query against the keys at distances s² − 1, and the spans behind the best. */
function searched(route: Value, keys: Value, length: number, options: SuperlinearOptions): Spans {
  const { spans, backward, localStripes } = options;
  const stripes = Math.floor(Math.sqrt(length)) - localStripes;
  const square = (s: number): number => (s + localStripes + 1) ** 2;
  const found = Array.from({ length: stripes }, (_, s) => {
    const back = square(s) - 1;
    const moved = build.pad(build.slice(keys, 2, 0, length - back), [[0, 0], [0, 0], [back, 0], [0, 0]]); // prettier-ignore
    return build.reduceSum(build.mul(route, moved), [3], true);
  });
  const exists = build.greater(
    table(route, [length, stripes], (i, s) => Number(square(s) <= i + 1)),
    0.5,
  );
  const { values, indices } = build.topK(hideScores(build.concat(found, 3), exists), Math.min(spans, stripes), 3);
  const stripe = build.add(build.cast(indices, route.dtype), localStripes + 1);
  const last = table(route, [length, 1], (i) => i + 1);
  const end = build.maximum(build.sub(last, build.mul(stripe, stripe)), -1);
  const start = build.sub(
    end,
    table(route, [length, 1], (i) => reach(i, backward)),
  );
  return { gate: build.softmax(values, -1), start: build.maximum(start, 0), end };
}

/** Step 2, attention within the spans: only their keys and those of the window are gathered. */
function gathered(q: Value, keys: Value, values: Value, spans: Spans, options: SuperlinearOptions): Value {
  const [batch, heads, length, headDim] = q.shape as [Value["shape"][0], number, number, number];
  const valueDim = values.shape[3];
  const count = spans.gate.shape[3] as number;
  const window = (options.localStripes + 1) ** 2 - 1;
  const size = Math.min(queriesPerTurn, length);
  const turns = Math.ceil(length / size);
  const missing = turns * size - length;
  const inTurns = (x: Value): Value => {
    const width = x.shape[3];
    const padded = missing === 0 ? x : build.pad(x, [[0, 0], [0, 0], [0, missing], [0, 0]]); // prettier-ignore
    return build.transpose(build.reshape(padded, [batch, heads, turns, size, width]), [2, 0, 1, 3, 4]);
  };
  const widest = reach(length - 1, options.backward) + 1 + window;
  // Places back from a span's end, then places of the window back from the query.
  const offset = table(q, [widest], (o) => o);
  const isWindow = table(q, [widest], (o) => Number(o >= widest - window));
  const own = table(q, [1, 1, turns * size, 1], (_, __, i) => Math.min(i, length - 1));
  const { collected } = repeat(
    turns,
    { turns: build.scalar(0, "int32") },
    ({ turns: turn }, { query, start, end, gate, at }) => {
      const [from, to, position] = [start, end, at].map((x) => build.unsqueeze(x, [4])); // [B,H,C,m,1]
      const inSpan = build.sub(to, offset);
      const inWindow = build.sub(position, build.sub(offset, widest - window));
      const isNear = build.greater(isWindow, 0.5);
      const place = build.where(isNear, inWindow, inSpan); // [B,H,C,m,L]
      const isRead = build.greaterOrEqual(place, build.where(isNear, 0, from));
      const flat = build.reshape(build.cast(build.maximum(place, 0), "int64"), [batch, heads, size * count * widest]);
      const rows = (x: Value, width: Value["shape"][0]): Value =>
        build.reshape(taken(x, flat), [batch, heads, size, count * widest, width]);
      const asked = build.matMul(rows(keys, headDim), build.unsqueeze(query, [4])); // [B,H,C,m·L,1]
      const scores = build.mul(
        build.reshape(asked, [batch, heads, size, count, widest]),
        scaleOf(options.scale, headDim),
      );
      const weights = build.mul(maskedSoftmax(scores, isRead), build.unsqueeze(gate, [4]));
      const z = build.matMul(build.reshape(weights, [batch, heads, size, 1, count * widest]), rows(values, valueDim));
      return { next: { turns: turn }, collect: { z: build.reshape(z, [batch, heads, size, valueDim]) } };
    },
    {
      over: {
        query: inTurns(q),
        start: inTurns(spans.start),
        end: inTurns(spans.end),
        gate: inTurns(spans.gate),
        at: build.reshape(build.transpose(build.reshape(own, [1, 1, turns, size, 1]), [2, 0, 1, 3, 4]), [turns, 1, 1, size, 1]), // prettier-ignore
      },
    },
  );
  const z = build.reshape(build.transpose(collected.z, [1, 2, 0, 3, 4]), [batch, heads, turns * size, valueDim]);
  return missing === 0 ? z : build.slice(z, 2, 0, length);
}

/** The weights of the same, as a matrix. */
function dense(scores: Value, { gate, start, end }: Spans, { localStripes }: SuperlinearOptions): Value {
  const length = scores.shape[2] as number;
  const window = (localStripes + 1) ** 2 - 1;
  const key = places(scores, length);
  const isNear = build.and(past(scores, length), build.less(build.sub(build.unsqueeze(key, [1]), key), window));
  const count = gate.shape[3] as number;
  const parts = Array.from({ length: count }, (_, m) => {
    const one = (x: Value): Value => build.slice(x, 3, m, m + 1);
    const inSpan = build.and(build.lessOrEqual(key, one(end)), build.greaterOrEqual(key, one(start)));
    return build.mul(maskedSoftmax(scores, build.or(inSpan, isNear)), one(gate));
  });
  return parts.reduce((sum, part) => build.add(sum, part));
}

/**
 * Attention as a search in two steps: about √T anchors are scored, and the spans behind the best of them are read.
 *
 *   anchors of query i: keys i + 1 − s²,  s = n + 1 … √(i + 1)          span: from ⌈b·√(i + 1)⌉ keys before the anchor to it
 *   z_i = Σ over the m best anchors a of softmax(r_i·k_a) · (softmax attention over the span of a and the window)
 *
 * The gate `route` is the query r of the search. Which spans are chosen has no gradient; how much each counts has one.
 *
 * Range    rows sum to 1
 * Source   Superlinear Multi-Step Attention, arXiv:2601.18401, N = 2; stripes, spans, window and gate as in the authors'
 *          package
 * Differs  without the linear recurrence (Mamba-2) that the paper puts before it: that is another layer
 */
export const superlinear: Mechanism<SuperlinearOptions> = mechanism({
  name: "superlinear",
  summary: "a search over √T anchors, then softmax within the best spans",
  source: "arXiv:2601.18401, N = 2",
  differs: "without the linear recurrence before it",
  rows: [23],
  defaults: { scale: "1/√D", spans: 3, backward: 2, localStripes: 0 },
  promises: { sees: "causal", rows: "one", mixesValues: true },
  cost: { time: "T^1.5·m·D", state: "2·T·D" },
  gates: { route: { per: "keyChannel", range: [-Infinity, Infinity] } },
  build: ({ q, k, v, gates }, options) => {
    check(options);
    const sizes = sizesOf("superlinear", { q, k, v });
    const length = lengthOf("superlinear", sizes);
    const scores = build.mul(products(q, k), scaleOf(options.scale, sizes.headDim));
    if ((options.localStripes + 1) ** 2 > length) {
      const pattern = maskedSoftmax(scores, past(q, length));
      return { pattern, z: build.matMul(pattern, perHead(v, sizes.heads)) };
    }
    const keys = perHead(k, sizes.heads);
    const spans = searched(gates["route"], keys, length, options);
    return {
      pattern: dense(scores, spans, options),
      z: gathered(q, keys, perHead(v, sizes.heads), spans, options),
    };
  },
  reference: ({ q, k, gates }, { scale, spans, backward, localStripes }) => {
    const factor = scaleOf(scale, q[0].length);
    const pattern = q.map((query, i) => {
      const anchors: number[] = [];
      for (let s = localStripes + 1; s * s <= i + 1; s++) anchors.push(i + 1 - s * s);
      const asked = anchors.map((a) => dot(gates["route"][i], k[a]));
      const order = anchors.map((_, n) => n).sort((a, b) => asked[b] - asked[a]);
      const best = order.slice(0, spans);
      const near = k.map((_, j) => j).filter((j) => j <= i && i - j < (localStripes + 1) ** 2 - 1);
      const row = k.map(() => 0);
      const read = (keys: readonly number[], weight: number): void =>
        softmaxRow(keys.map((j) => factor * dot(query, k[j]))).forEach((x, at) => (row[keys[at]] += weight * x));
      if (best.length === 0) read(near, 1);
      const gate = softmaxRow(best.map((n) => asked[n]));
      best.forEach((n, at) => {
        const first = Math.max(0, anchors[n] - Math.ceil(backward * Math.sqrt(i + 1)));
        const span = Array.from({ length: anchors[n] - first + 1 }, (_, j) => first + j);
        read([...span, ...near], gate[at]);
      });
      return row;
    });
    return { pattern };
  },
  limits: [{ when: "the window covers everything", options: { localStripes: 40 }, equals: "softmax" }],
  alsoAsked: [{ spans: 1 }, { spans: 2, localStripes: 1, backward: 0.5 }],
});
