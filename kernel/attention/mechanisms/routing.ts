import type { Value } from "../../graph/index.js";
import { build } from "../../graph/index.js";
import { wholeNumber } from "../../tensor/index.js";
import { lengthsOf } from "../lengths.js";
import type { Mechanism } from "../mechanism.js";
import { mechanism, sizesOf } from "../mechanism.js";
import { dot, softmaxRow } from "../reference.js";
import type { Scale } from "../steps.js";
import { maskedSoftmax, perHead, products, scaleOf } from "../steps.js";
import { taken } from "../taken.js";

interface RoutingOptions {
  readonly scale: Scale;
  readonly clusters: number;
  /** Queries and keys that each cluster takes; `"T/c"` shares them out evenly. */
  readonly window: number | "T/c";
}

function windowOf({ window, clusters }: RoutingOptions, length: number): number {
  return window === "T/c" ? Math.ceil(length / clusters) : Math.min(window, length);
}

const unit = (x: Value, axis: number): Value =>
  build.div(x, build.sqrt(build.add(build.reduceSum(build.mul(x, x), [axis], true), 1e-12)));

/** The tokens of highest cosine with each centroid: their places [B,H,c,w], and who is among them [B,H,c,T]. */
function members(centroids: Value, x: Value, count: number): { places: Value; isMember: Value } {
  const near = build.matMul(unit(centroids, 2), build.transpose(unit(x, 3), [0, 1, 3, 2])); // [B,H,c,T]
  const { values, indices } = build.topK(near, count, 3);
  return { places: indices, isMember: build.greaterOrEqual(near, build.slice(values, 3, count - 1, count)) };
}

/**
 * Tokens are routed to clusters by their direction, and attend within them.
 *
 *   cluster c takes the w queries and the w keys of highest cosine with its centroid; z_i = mean over the clusters that
 *   took query i of softmax attention over their keys
 *
 * Which tokens a cluster takes has no gradient, so that centroids stay where they start.
 *
 * Range    rows sum to 1; a query that no cluster takes has a row of 0
 * Source   Routing Transformer, arXiv:2003.05997 §4.1 and algorithm 1; means of overlapping clusters as in public code
 * Differs  not causal (which tokens a cluster takes depends on all of them); centroids are not moved by the k-means
 *          average, and there are no local heads: those are a mask on softmax
 */
export const routing: Mechanism<RoutingOptions> = mechanism<RoutingOptions>({
  name: "routing",
  summary: "tokens attend within the clusters that their directions route them to",
  source: "arXiv:2003.05997 §4.1",
  differs: "not causal; centroids stay where they start",
  rows: [157],
  defaults: { scale: "1/√D", clusters: 4, window: "T/c" },
  promises: { sees: "all", rows: "at most one", mixesValues: true },
  cost: { time: "T·(w + c)·D, w = T/c", state: "not causal" },
  parameters: ({ heads, headDim }, { clusters }) => ({
    centroids: { shape: [heads, clusters, headDim], initial: { std: 1 } },
  }),
  build: ({ q, k, v, parameters }, options) => {
    wholeNumber("routing", "clusters", options.clusters);
    if (options.window !== "T/c") wholeNumber("routing", "window", options.window);
    const { scale, clusters } = options;
    const sizes = sizesOf("routing", { q, k, v });
    const { batch, heads, headDim, valueDim } = sizes;
    const [queries, keys] = lengthsOf("routing", sizes);
    const factor = scaleOf(scale, headDim);
    const [allKeys, values] = [perHead(k, heads), perHead(v, heads)];
    const [fromQueries, fromKeys] = [windowOf(options, queries), windowOf(options, keys)];
    const readers = members(parameters["centroids"], q, fromQueries);
    const read = members(parameters["centroids"], allKeys, fromKeys);

    const flat = (places: Value, count: number): Value => build.reshape(places, [batch, heads, clusters * count]);
    const rows = (x: Value, places: Value, count: number, width: number): Value =>
      build.reshape(taken(x, flat(places, count)), [batch, heads, clusters, count, width]);
    const asking = rows(q, readers.places, fromQueries, headDim);
    const asked = rows(allKeys, read.places, fromKeys, headDim);
    const inside = build.softmax(build.mul(build.matMul(asking, build.transpose(asked, [0, 1, 2, 4, 3])), factor), -1);
    const found = build.matMul(inside, rows(values, read.places, fromKeys, valueDim)); // [B,H,c,w,E]
    const places = build.expand(build.unsqueeze(flat(readers.places, fromQueries), [3]), [
      ...[batch, heads, clusters * fromQueries, valueDim],
    ]);
    const empty = build.expand(build.scalar(0, q.dtype), [batch, heads, queries, valueDim]);
    const summed = build.scatterElements(
      empty,
      places,
      build.reshape(found, [batch, heads, clusters * fromQueries, valueDim]),
      ...([2, "add"] as const),
    );
    const took = build.cast(readers.isMember, q.dtype); // [B,H,c,Q]
    const times = build.unsqueeze(build.maximum(build.reduceSum(took, [2]), 1), [3]); // [B,H,Q,1]

    const scores = build.mul(products(q, k), factor);
    const parts = Array.from({ length: clusters }, (_, c) => {
      const isRead = build.slice(read.isMember, 2, c, c + 1); // [B,H,1,K]
      const isReader = build.transpose(build.slice(took, 2, c, c + 1), [0, 1, 3, 2]); // [B,H,Q,1]
      return build.mul(maskedSoftmax(scores, isRead), isReader);
    });
    const pattern = build.div(
      parts.reduce((sum, part) => build.add(sum, part)),
      times,
    );
    return { scores, pattern, z: build.div(summed, times) };
  },
  reference: ({ q, k, head, heads, parameters }, options) => {
    const factor = scaleOf(options.scale, q[0].length);
    const dim = q[0].length;
    const start = (parameters["centroids"].length / heads) * head;
    const centroids = Array.from({ length: options.clusters }, (_, c) =>
      parameters["centroids"].slice(start + c * dim, start + (c + 1) * dim),
    );
    const cosine = (a: readonly number[], b: readonly number[]): number => dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
    const nearest = (rows: typeof q, centroid: readonly number[]): number[] =>
      rows
        .map((_, t) => t)
        .sort((a, b) => cosine(rows[b], centroid) - cosine(rows[a], centroid))
        .slice(0, windowOf(options, rows.length));
    const pattern = q.map(() => k.map(() => 0));
    const times = q.map(() => 0);
    for (const centroid of centroids) {
      const read = nearest(k, centroid);
      for (const i of nearest(q, centroid)) {
        times[i]++;
        softmaxRow(read.map((j) => factor * dot(q[i], k[j]))).forEach((x, at) => (pattern[i][read[at]] += x));
      }
    }
    return { pattern: pattern.map((row, i) => row.map((x) => x / Math.max(1, times[i]))) };
  },
  limits: [{ when: "every cluster takes every token", options: { window: 1000 }, equals: "softmax" }],
  alsoAsked: [{ window: 3 }],
});
