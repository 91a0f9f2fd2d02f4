import type { Value } from "../../graph/index.js";
import { build, constant } from "../../graph/index.js";
import { packNumbers, random, Tensor, wholeNumber } from "../../tensor/index.js";
import { lengthsOf, table } from "../lengths.js";
import type { Mechanism } from "../mechanism.js";
import { mechanism, sizesOf } from "../mechanism.js";
import { dot, softmaxRow } from "../reference.js";
import type { Scale } from "../steps.js";
import { maskedSoftmax, perHead, products, scaleOf } from "../steps.js";
import { taken } from "../taken.js";

interface HyperAttentionOptions {
  readonly scale: Scale;
  /** Keys per block of the sorted sequence. */
  readonly block: number;
  /** Keys that are drawn, with replacement, to stand for all those outside the block. */
  readonly samples: number;
  /** Random planes of the hash. */
  readonly projections: number;
  /** Sequences of at most this length are attended exactly. */
  readonly exactUpTo: number;
  /** Of planes and samples. */
  readonly seed: number;
}

interface Plan {
  /** Blocks of keys, and of as many shares of the queries. */
  readonly blocks: number;
  readonly perBlock: number;
  /** Places in the sorted keys. */
  readonly samples: readonly number[];
}

/** undefined where attention is exact. */
function planOf(options: HyperAttentionOptions, queries: number, keys: number): Plan | undefined {
  const { block, samples, exactUpTo, seed } = options;
  const blocks = Math.ceil(keys / block);
  if (blocks === 1 || Math.max(queries, keys) <= exactUpTo) return undefined;
  const drawn = samples === 0 ? [] : random(seed).fork("samples").integers([samples], { high: keys }).numbers();
  return { blocks, perBlock: Math.ceil(queries / blocks), samples: Array.from(drawn) };
}

/** Normals of the planes, [D][p]. */
function planesOf({ projections, seed }: HyperAttentionOptions, headDim: number): number[][] {
  const drawn = random(seed).fork("planes").normal([headDim, projections]).numbers();
  return Array.from({ length: headDim }, (_, d) => Array.from(drawn.subarray(d * projections, (d + 1) * projections)));
}

/** Places of the tokens sorted by hash, equal ones in order: [B,H,T]. */
function sorted(x: Value, options: HyperAttentionOptions, length: number): Value {
  const { projections } = options;
  const planes = planesOf(options, x.shape[3] as number);
  const sides = build.matMul(
    x,
    table(x, [planes.length, projections], (d, p) => planes[d][p]),
  );
  const bits = build.cast(build.greater(sides, 0), x.dtype); // [B,H,T,p]
  const next = build.pad(build.slice(bits, 3, 1, projections), [[0, 0], [0, 0], [0, 0], [0, 1]]); // prettier-ignore
  const gray = build.abs(build.sub(bits, projections === 1 ? build.mul(bits, 0) : next));
  const weights = table(x, [projections], (p) => 2 ** p * length);
  const place = table(x, [length], (t) => t);
  const rank = build.add(build.reduceSum(build.mul(gray, weights), [3]), place);
  return build.topK(rank, length, 2, { largest: false }).indices;
}

/** For each token its place among the sorted ones, [B,H,T], and anything else that belongs to places. */
function placed(order: Value, at: Value): Value {
  const zeros = build.expand(build.scalar(0, at.dtype), order.shape);
  return build.scatterElements(zeros, order, build.expand(at, order.shape), 2, "none");
}

/** Sorted tokens in blocks, filled up with zeros: [B,H,n,size,X]. */
function inBlocks(x: Value, blocks: number, size: number): Value {
  const [batch, heads, length, width] = x.shape;
  const missing = blocks * size - (length as number);
  const padded = missing === 0 ? x : build.pad(x, [[0, 0], [0, 0], [0, missing], [0, 0]]); // prettier-ignore
  return build.reshape(padded, [batch, heads, blocks, size, width]);
}

/**
 * Attention in near-linear time: queries and keys are sorted by a locality-sensitive hash and attend within blocks of the
 * sorted sequence; a few sampled keys stand for the rest.
 *
 *   weight[i,j] ∝ exp(s[i,j]) · (1 in i's block, K/m · (how often j was drawn) outside)
 *
 * The hash, like the choice of keys, has no gradient.
 *
 * Range    rows sum to 1. Exact where one block holds every key, or up to `exactUpTo` tokens
 * Source   HyperAttention, arXiv:2310.05869 algorithm 1 (sorted hash) and 3; Gray-coded buckets as in the authors' code
 * Differs  keys that fill up the last block are hidden, which the authors' code counts as keys of zeros; samples are the
 *          same for every head; not causal: the recursion of §3.1 sorts halves, whose later queries move earlier ones
 */
export const hyperAttention: Mechanism<HyperAttentionOptions> = mechanism({
  name: "hyperAttention",
  summary: "sorted by hash into blocks, with sampled keys for the rest",
  source: "arXiv:2310.05869 algorithm 3",
  differs: "keys that fill up a block are hidden; samples are the same for every head; not causal",
  rows: [76],
  defaults: { scale: "1/√D", block: 256, samples: 256, projections: 7, exactUpTo: 4096, seed: 0 },
  promises: { sees: "all", rows: "one", mixesValues: true },
  cost: { time: "T·(b + m)·D", state: "not causal" },
  build: ({ q, k, v }, options) => {
    const { scale, block, samples, projections, exactUpTo } = options;
    for (const [name, value, least] of [["block", block, 1], ["samples", samples, 0], ["projections", projections, 1], ["exactUpTo", exactUpTo, 0]] as const) wholeNumber("hyperAttention", name, value, least); // prettier-ignore
    const sizes = sizesOf("hyperAttention", { q, k, v });
    const { batch, heads, headDim, valueDim } = sizes;
    const [queries, keys] = lengthsOf("hyperAttention", sizes);
    const factor = scaleOf(scale, headDim);
    const scores = build.mul(products(q, k), factor);
    const [allKeys, values] = [perHead(k, heads), perHead(v, heads)];
    const plan = planOf(options, queries, keys);
    if (!plan) {
      const pattern = build.softmax(scores, -1);
      return { scores, pattern, z: build.matMul(pattern, values) };
    }
    const { blocks, perBlock } = plan;
    const isBelow = (x: Value): Value => build.greater(x, 0.5);
    const [queryOrder, keyOrder] = [sorted(q, options, queries), sorted(allKeys, options, keys)];
    const [sortedKeys, sortedValues] = [taken(allKeys, keyOrder), taken(values, keyOrder)];
    const asking = inBlocks(taken(q, queryOrder), blocks, perBlock); // [B,H,n,C,D]
    const within = build.matMul(asking, build.transpose(inBlocks(sortedKeys, blocks, block), [0, 1, 2, 4, 3]));
    const exists = isBelow(table(q, [blocks, 1, block], (n, _, j) => Number(n * block + j < keys)));
    const near = build.where(exists, build.mul(within, factor), -1e30);
    const all = [near];
    const drawn = constant(new Tensor("int64", [samples], packNumbers("int64", plan.samples)));
    if (samples > 0) {
      const rows = build.reshape(asking, [batch, heads, blocks * perBlock, headDim]);
      const far = build.matMul(rows, build.transpose(build.gather(sortedKeys, drawn, 2), [0, 1, 3, 2]));
      const apart = build.reshape(far, [batch, heads, blocks, perBlock, samples]);
      const isOther = isBelow(
        table(q, [blocks, 1, samples], (n, _, s) => Number(Math.floor(plan.samples[s] / block) !== n)),
      );
      all.push(build.where(isOther, build.add(build.mul(apart, factor), Math.log(keys / samples)), -1e30));
    }
    const weights = build.softmax(build.concat(all, 4), -1);
    const inside = build.matMul(build.slice(weights, 4, 0, block), inBlocks(sortedValues, blocks, block));
    let found = build.reshape(inside, [batch, heads, blocks * perBlock, valueDim]);
    if (samples > 0) {
      const outside = build.reshape(build.slice(weights, 4, block, block + samples), [
        ...[batch, heads, blocks * perBlock, samples],
      ]);
      found = build.add(found, build.matMul(outside, build.gather(sortedValues, drawn, 2)));
    }
    const own = build.slice(found, 2, 0, queries);
    const back = build.cast(
      placed(
        queryOrder,
        table(q, [queries], (t) => t),
      ),
      "int64",
    );

    const blockOf = (order: Value, length: number, size: number): Value =>
      placed(
        order,
        table(q, [length], (t) => Math.floor(t / size)),
      );
    const times = placed(
      keyOrder,
      table(q, [keys], (t) => plan.samples.filter((s) => s === t).length),
    );
    const same = build.equal(
      build.unsqueeze(blockOf(queryOrder, queries, perBlock), [3]),
      build.unsqueeze(blockOf(keyOrder, keys, block), [2]),
    );
    const isDrawn = isBelow(times);
    const heavier = build.log(build.mul(build.where(isDrawn, times, 1), keys / Math.max(1, samples)));
    const weighted = build.add(scores, build.where(same, 0, build.unsqueeze(heavier, [2])));
    return {
      scores,
      pattern: maskedSoftmax(weighted, build.or(same, build.unsqueeze(isDrawn, [2]))),
      z: taken(own, back),
    };
  },
  reference: ({ q, k }, options) => {
    const factor = scaleOf(options.scale, q[0].length);
    const plan = planOf(options, q.length, k.length);
    const planes = planesOf(options, q[0].length);
    const hash = (row: readonly number[]): number => {
      const bits = planes[0].map((_, p) => (row.reduce((sum, x, d) => sum + x * planes[d][p], 0) > 0 ? 1 : 0));
      const code = bits.reduce<number>((sum, bit, p) => sum + bit * 2 ** p, 0);
      return code ^ (code >> 1);
    };
    const order = (rows: typeof q): number[] => {
      const hashes = rows.map(hash);
      return rows.map((_, t) => t).sort((a, b) => hashes[a] - hashes[b] || a - b);
    };
    const [queryOrder, keyOrder] = [order(q), order(k)];
    const pattern = q.map((query, i) => {
      const scores = k.map((key) => factor * dot(query, key));
      if (!plan) return softmaxRow(scores);
      const own = Math.floor(queryOrder.indexOf(i) / plan.perBlock);
      const weights = k.map((_, j) => {
        const place = keyOrder.indexOf(j);
        const times = plan.samples.filter((s) => s === place).length;
        return Math.floor(place / options.block) === own ? 1 : (times * k.length) / Math.max(1, options.samples);
      });
      const visible = k.map((_, j) => j).filter((j) => weights[j] > 0);
      const shares = softmaxRow(visible.map((j) => scores[j] + Math.log(weights[j])));
      return k.map((_, j) => (visible.includes(j) ? shares[visible.indexOf(j)] : 0));
    });
    return { pattern };
  },
  limits: [
    { when: "one block holds every key", options: { block: 1000, exactUpTo: 0 }, equals: "softmax" },
    { when: "sequences of this length are exact", options: { block: 2 }, equals: "softmax" },
  ],
  alsoAsked: [
    { block: 2, samples: 3, exactUpTo: 0 },
    { block: 4, samples: 0, exactUpTo: 0, projections: 1 },
  ],
});
