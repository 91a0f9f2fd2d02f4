import type { Value } from "../../graph/index.js";
import { build } from "../../graph/index.js";
import { wholeNumber } from "../../tensor/index.js";
import { dividedBy, lengthOf, table } from "../lengths.js";
import type { Mechanism } from "../mechanism.js";
import { mechanism, sizesOf } from "../mechanism.js";
import type { Rows } from "../reference.js";
import { dot, product, softmaxRow } from "../reference.js";
import type { Scale } from "../steps.js";
import { perHead, scaleOf } from "../steps.js";

interface InterleavedOptions {
  readonly scale: Scale;
  /** How many groups of neighbouring tokens there are. */
  readonly groups: number;
  /** Latents of each group; 0 for none. */
  readonly latents: number;
}

/** Tokens of a group. */
function groupSize({ groups, latents }: InterleavedOptions, length: number): number {
  wholeNumber("interleaved", "groups", groups);
  wholeNumber("interleaved", "latents", latents, 0);
  return dividedBy("interleaved", "groups", groups, length);
}

/**
 * Tokens attend within their group; a few latents per group read it, attend to the latents of all groups, and write back.
 *
 *   R = softmax(scale · L·kᵀ) in each group        L: learned latents, the same for every group
 *   z = softmax(scale · q·kᵀ) v in each group + softmax(scale · q·(R k)ᵀ) · softmax(scale · (R q)·(R k)ᵀ) · R v
 *
 * The inner product is over the latents of all groups, the outer two over those of the token's own.
 *
 * Range    rows sum to 2, to 1 without latents
 * Source   FIT, arXiv:2305.12689 §3
 * Differs  the steps of a block in one: read, global, write and local attention use the same projections, without the
 *          norms and MLPs between them; latents take queries, keys and values of what they read
 */
export const interleaved: Mechanism<InterleavedOptions> = mechanism<InterleavedOptions>({
  name: "interleaved",
  summary: "attention within groups, and among latents that read and write the groups",
  source: "arXiv:2305.12689 §3",
  differs: "the steps of a block in one, with the same projections and without norms and MLPs between them",
  rows: [134],
  defaults: { scale: "1/√D", groups: 4, latents: 2 },
  promises: { sees: "all", rows: "free", mixesValues: true },
  cost: { time: "(T²/n + T·m + n²·m²)·D", state: "not causal" },
  parameters: ({ heads, headDim }, { latents }) =>
    latents === 0 ? {} : { latents: { shape: [heads, latents, headDim], initial: { std: 1 } } },
  build: ({ q, k, v, parameters }, options) => {
    const sizes = sizesOf("interleaved", { q, k, v });
    const { batch, heads, headDim, valueDim } = sizes;
    const length = lengthOf("interleaved", sizes);
    const { groups, latents, scale } = options;
    const [size, factor] = [groupSize(options, length), scaleOf(scale, headDim)];
    const grouped = (x: Value, dim: number): Value => build.reshape(x, [batch, heads, groups, size, dim]);
    const [asking, keys, values] = [
      grouped(q, headDim),
      grouped(perHead(k, heads), headDim),
      grouped(perHead(v, heads), valueDim),
    ];
    const flipped = (x: Value): Value => build.transpose(x, x.shape.length === 5 ? [0, 1, 2, 4, 3] : [0, 1, 3, 2]);
    const weights = (a: Value, b: Value): Value => build.softmax(build.mul(build.matMul(a, flipped(b)), factor), -1);
    const ungrouped = (x: Value, dim: number): Value => build.reshape(x, [batch, heads, length, dim]);
    const local = weights(asking, keys); // [B,H,n,s,s]
    const identity = table(q, [groups, groups], (a, b) => Number(a === b));
    const placed = build.mul(build.unsqueeze(local, [4]), build.reshape(identity, [groups, 1, groups, 1])); // [B,H,n,s,n,s]
    const near = { pattern: ungrouped(placed, length), z: ungrouped(build.matMul(local, values), valueDim) };
    if (latents === 0) return near;
    const read = weights(build.unsqueeze(parameters["latents"], [1]), keys); // [B,H,n,m,s]
    const all = (x: Value, dim: number): Value => build.reshape(x, [batch, heads, groups * latents, dim]);
    const latentKeys = build.matMul(read, keys); // [B,H,n,m,D]
    const among = weights(all(build.matMul(read, asking), headDim), all(latentKeys, headDim)); // [B,H,n·m,n·m]
    const write = weights(asking, latentKeys); // [B,H,n,s,m]
    const back = (x: Value, dim: number): Value =>
      ungrouped(build.matMul(write, build.reshape(x, [batch, heads, groups, latents, dim])), dim);
    const readPlaced = build.mul(build.unsqueeze(read, [4]), build.reshape(identity, [groups, 1, groups, 1]));
    const readTokens = build.reshape(readPlaced, [batch, heads, groups * latents, length]);
    const far = {
      pattern: back(build.matMul(among, readTokens), length),
      z: back(build.matMul(among, all(build.matMul(read, values), valueDim)), valueDim),
    };
    return { pattern: build.add(near.pattern, far.pattern), z: build.add(near.z, far.z) };
  },
  reference: ({ q, k, head, parameters }, options) => {
    const { groups, latents, scale } = options;
    const [size, width, factor] = [k.length / groups, k[0].length, scaleOf(scale, q[0].length)];
    const groupOf = (token: number): number => Math.floor(token / size);
    const zeros = (): number[] => new Array<number>(k.length).fill(0);
    const members = (group: number): number[] => k.flatMap((_, j) => (groupOf(j) === group ? [j] : []));
    const over = (query: readonly number[], keys: Rows): number[] =>
      softmaxRow(keys.map((key) => factor * dot(query, key)));
    const placed = (query: readonly number[], group: number): number[] => {
      const row = zeros();
      const weights = over(query, members(group).map((j) => k[j])); // prettier-ignore
      members(group).forEach((j, at) => (row[j] = weights[at]));
      return row;
    };
    const local = q.map((query, i) => placed(query, groupOf(i)));
    if (latents === 0) return { pattern: local };
    const latent = (m: number): number[] =>
      parameters["latents"].slice((head * latents + m) * width, (head * latents + m + 1) * width);
    const read = Array.from({ length: groups * latents }, (_, at) =>
      placed(latent(at % latents), Math.floor(at / latents)),
    );
    const [readQueries, readKeys] = [product(read, q), product(read, k)];
    const among = product(readQueries.map((query) => over(query, readKeys)), read); // prettier-ignore
    const pattern = q.map((query, i) => {
      const first = groupOf(i) * latents;
      const weights = over(query, readKeys.slice(first, first + latents));
      return local[i].map(
        (near, j) => near + weights.reduce((sum, weight, m) => sum + weight * among[first + m][j], 0),
      );
    });
    return { pattern };
  },
  alsoAsked: [{ groups: 2, latents: 3 }],
  limits: [{ when: "one group has no latents", options: { groups: 1, latents: 0 }, equals: "softmax" }],
  askedOn: { queries: 8 },
});
