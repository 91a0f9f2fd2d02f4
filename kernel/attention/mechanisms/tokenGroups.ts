import type { Value } from "../../graph/index.js";
import { build, constant } from "../../graph/index.js";
import { packNumbers, Tensor, wholeNumber } from "../../tensor/index.js";
import { spread } from "../groups.js";
import { dividedBy, lengthOf, table } from "../lengths.js";
import type { Mechanism } from "../mechanism.js";
import { mechanism, sizesOf } from "../mechanism.js";
import { dot, normalisedRows, softmaxRow } from "../reference.js";
import type { Scale } from "../steps.js";
import { atUnitLength, hiddenScore, perHead, scaleOf } from "../steps.js";

interface TokenGroupsOptions {
  readonly scale: Scale;
  /** Tokens of a group. */
  readonly size: number;
  /** Learned centres by which tokens are sorted. */
  readonly centres: number;
}

function groupsOf({ size, centres }: TokenGroupsOptions, tokens: number): number {
  wholeNumber("tokenGroups", "size", size);
  wholeNumber("tokenGroups", "centres", centres);
  return dividedBy("tokenGroups", "size", size, tokens);
}

/**
 * Tokens sorted by the centre that is most like them, then cut into groups of one size that attend within themselves and to
 * the next group.
 *
 *   order = tokens by (argmax_m cos(k_j, c_m), j)        group g of the order sees groups g and g + 1
 *
 * Range    rows sum to 1; centres get no gradient, as they follow averages in the paper
 * Source   intra-group attention of CATANet, arXiv:2503.06896 §3
 * Differs  tokens are compared by their keys, for each head; without the cross-attention to centres, which is softmax
 *          attention with centres as keys
 */
export const tokenGroups: Mechanism<TokenGroupsOptions> = mechanism<TokenGroupsOptions>({
  name: "tokenGroups",
  summary: "tokens sorted by the centre that is most like them; groups of the sorted attend",
  source: "arXiv:2503.06896 §3",
  differs: "tokens are compared by their keys, for each head; cross-attention to centres is a layer of its own",
  rows: [71],
  defaults: { scale: "1/√D", size: 8, centres: 4 },
  promises: { sees: "all", rows: "one", mixesValues: true },
  cost: { time: "T·(2·g + M)·D", state: "not causal" },
  parameters: ({ heads, headDim }, { centres }) => ({
    centres: { shape: [heads, centres, headDim], initial: { std: 1 } },
  }),
  build: ({ q, k, v, parameters }, options) => {
    const sizes = sizesOf("tokenGroups", { q, k, v });
    const { batch, heads, headDim, valueDim } = sizes;
    const length = lengthOf("tokenGroups", sizes);
    const [groups, { size }] = [groupsOf(options, length), options];
    const keys = perHead(k, heads);
    const likeness = build.matMul(
      atUnitLength(keys, -1),
      build.transpose(atUnitLength(parameters["centres"], -1), [0, 2, 1]),
    ); // [B,H,T,M]
    const nearest = build.cast(build.argMax(likeness, 3), q.dtype);
    const rank = build.add(
      build.mul(nearest, length),
      table(q, [length], (token) => token),
    );
    const order = build.topK(rank, length, 2, { largest: false }).indices; // [B,H,T]
    const along = (dim: number): Value => build.expand(build.unsqueeze(order, [3]), [batch, heads, length, dim]);
    const inGroups = (x: Value, dim: number): Value => build.reshape(x, [batch, heads, groups, size, dim]);
    const sorted = (x: Value, dim: number): Value => inGroups(build.gatherElements(x, along(dim), 2), dim);
    // Beside each group the next one; the last has none, and sees what stands in for it not at all.
    const paired = (x: Value): Value =>
      build.concat([x, groups === 1 ? x : build.concat([build.slice(x, 2, 1, groups), build.slice(x, 2, 0, 1)], 2)], 3);
    const scores = build.matMul(sorted(q, headDim), build.transpose(paired(sorted(keys, headDim)), [0, 1, 2, 4, 3])); // [B,H,n,g,2g]
    const isKey = constant(
      new Tensor(
        "bool",
        [groups, 1, 2 * size],
        packNumbers(
          "bool",
          Array.from({ length: groups * 2 * size }, (_, at) =>
            Number(at % (2 * size) < size || at < (groups - 1) * 2 * size),
          ),
        ),
      ),
    );
    const scaled = build.mul(scores, scaleOf(options.scale, headDim));
    const weights = build.softmax(build.where(isKey, scaled, hiddenScore), -1);
    const unsorted = (x: Value, dim: number): Value => {
      const zeros = build.expand(build.scalar(0, x.dtype), [batch, heads, length, dim]);
      return build.scatterElements(zeros, along(dim), build.reshape(x, [batch, heads, length, dim]), 2, "add");
    };
    const mixedValues = build.matMul(weights, paired(sorted(perHead(v, heads), valueDim)));
    const seen = build.transpose(paired(inGroups(order, 1)), [0, 1, 2, 4, 3]); // [B,H,n,1,2g]
    const numbers = build.expand(seen, [batch, heads, groups, size, 2 * size]);
    const flat = (x: Value): Value => build.reshape(x, [batch, heads, length, 2 * size]);
    return {
      z: unsorted(mixedValues, valueDim),
      pattern: unsorted(spread(flat(weights), flat(numbers), length), length),
    };
  },
  reference: (given, options) => {
    const { q, k, head, parameters } = given;
    const width = k[0].length;
    const centres = Array.from({ length: options.centres }, (_, m) => {
      const first = (head * options.centres + m) * width;
      return parameters["centres"].slice(first, first + width);
    });
    const cosine = (a: readonly number[], b: readonly number[]): number => dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
    const nearest = k.map((key) => {
      const likeness = centres.map((centre) => cosine(key, centre));
      return likeness.indexOf(Math.max(...likeness));
    });
    const order = k.map((_, j) => j).sort((a, b) => nearest[a] - nearest[b] || a - b);
    const groupOf = (token: number): number => Math.floor(order.indexOf(token) / options.size);
    const factor = scaleOf(options.scale, width);
    const shown = { ...given, sees: (i: number, j: number) => [0, 1].includes(groupOf(j) - groupOf(i)) };
    return { pattern: normalisedRows(shown, (i, j) => factor * dot(q[i], k[j]), softmaxRow) };
  },
  alsoAsked: [{ size: 4, centres: 3 }],
  limits: [{ when: "one group holds every token", options: { size: 16 }, equals: "softmax" }],
  askedOn: { queries: 16 },
});
