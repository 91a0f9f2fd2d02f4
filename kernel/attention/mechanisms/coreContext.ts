import { build } from "../../graph/index.js";
import { OptionError } from "../../tensor/index.js";
import { lengthOf, past, places, table } from "../lengths.js";
import type { Mechanism } from "../mechanism.js";
import { mechanism, sizesOf } from "../mechanism.js";
import { dot, softmaxRow } from "../reference.js";
import type { Scale } from "../steps.js";
import { maskedSoftmax, perHead, scaleOf } from "../steps.js";

interface CoreContextOptions {
  readonly scale: Scale;
  /** Tokens that are condensed into one core token. */
  readonly group: number;
  /** Keys before the query that are never condensed, at least. */
  readonly window: number;
}

/** How many whole groups lie at least `window` keys behind a query. */
function condensed(query: number, { group, window }: CoreContextOptions): number {
  return Math.max(0, Math.floor((query + 1 - window) / group));
}

function check({ group, window }: CoreContextOptions): void {
  if (!Number.isInteger(group) || group < 1 || !Number.isInteger(window) || window < 1)
    throw new OptionError(
      `coreContext: group and window must be whole numbers of at least 1, got ${group} and ${window}`,
    );
}

/**
 * The far past in core tokens, the near past as it is, in one softmax.
 *
 *   c_m = Σ_{j in group m} softmax_j(scale · q_last(m)·k_j) · (k_j, v_j)
 *   z_i = attention over the core tokens of groups at least `window` keys behind, and over every later key up to i
 *
 * Range    rows sum to 1
 * Source   Core Context Aware attention, arXiv:2412.12465 §3.2 and §3.3
 * Differs  the two parts meet at a whole group, so that each key counts once
 */
export const coreContext: Mechanism<CoreContextOptions> = mechanism({
  name: "coreContext",
  summary: "the far past condensed into core tokens, the near past as it is",
  source: "arXiv:2412.12465 §3.2",
  differs: "local and condensed keys meet at a whole group, so that each key counts once",
  rows: [69],
  defaults: { scale: "1/√D", group: 16, window: 64 },
  promises: { sees: "causal", rows: "one", mixesValues: true },
  cost: { time: "T·(T/g + w)·D", state: "2·(T/g + w + g)·D" },
  held: ({ heads, headDim, keyHeads, valueHeads, valueDim, keys }, { group, window }) =>
    heads * Math.floor(keys / group) * (headDim + valueDim) +
    Math.min(keys, window + group) * (keyHeads * headDim + valueHeads * valueDim),
  build: ({ q, k, v }, options) => {
    check(options);
    const sizes = sizesOf("coreContext", { q, k, v });
    const { batch, heads, headDim, valueDim } = sizes;
    const length = lengthOf("coreContext", sizes);
    const { scale, group } = options;
    const factor = scaleOf(scale, headDim);
    const [keys, values] = [perHead(k, heads), perHead(v, heads)];
    const before = table(q, [length, 1], (i) => condensed(i, options)); // whole groups, in core tokens
    const isLocal = build.and(past(q, length), build.greaterOrEqual(places(q, length), build.mul(before, group)));
    const local = build.mul(build.matMul(q, build.transpose(keys, [0, 1, 3, 2])), factor);
    const groups = Math.floor(length / group);
    if (condensed(length - 1, options) === 0) {
      const pattern = maskedSoftmax(local, isLocal);
      return { scores: local, pattern, z: build.matMul(pattern, values) };
    }
    const whole = groups * group;
    const inGroups = (x: typeof q, dim: number): typeof q =>
      build.reshape(build.slice(x, 2, 0, whole), [batch, heads, groups, group, dim]);
    const [groupedKeys, groupedValues] = [inGroups(keys, headDim), inGroups(values, valueDim)];
    const last = build.slice(inGroups(q, headDim), 3, group - 1, group); // [B,H,M,1,D]
    const shares = build.softmax(
      build.mul(build.matMul(last, build.transpose(groupedKeys, [0, 1, 2, 4, 3])), factor),
      -1,
    );
    const core = (x: typeof q, dim: number): typeof q =>
      build.reshape(build.matMul(shares, x), [batch, heads, groups, dim]); // [B,H,M,D]
    const far = build.mul(build.matMul(q, build.transpose(core(groupedKeys, headDim), [0, 1, 3, 2])), factor);
    const isFar = build.less(places(q, groups), before);
    const weights = maskedSoftmax(build.concat([far, local], 3), build.concat([isFar, isLocal], 1));
    const [onCores, onKeys] = [build.slice(weights, 3, 0, groups), build.slice(weights, 3, groups, groups + length)];
    const z = build.add(build.matMul(onCores, core(groupedValues, valueDim)), build.matMul(onKeys, values));
    // A core's weight falls to its keys by their shares.
    const spread = build.mul(build.unsqueeze(onCores, [4]), build.transpose(shares, [0, 1, 3, 2, 4])); // [B,H,Q,M,g]
    const flat = build.reshape(spread, [batch, heads, length, whole]);
    const rest = length - whole;
    const padded = rest === 0 ? flat : build.concat([flat, build.mul(build.slice(local, 3, whole, length), 0)], 3);
    return { pattern: build.add(padded, onKeys), z };
  },
  reference: ({ q, k }, options) => {
    const factor = scaleOf(options.scale, q[0].length);
    const { group } = options;
    const pattern = q.map((query, i) => {
      const far = condensed(i, options);
      const shares = Array.from({ length: far }, (_, m) => {
        const members = k.slice(m * group, (m + 1) * group);
        return softmaxRow(members.map((key) => factor * dot(q[(m + 1) * group - 1], key)));
      });
      const cores = shares.map((share, m) =>
        query.map((_, d) => share.reduce((sum, weight, j) => sum + weight * k[m * group + j][d], 0)),
      );
      const local = k.slice(far * group, i + 1);
      const weights = softmaxRow([...cores, ...local].map((key) => factor * dot(query, key)));
      return k.map((_, j) => {
        if (j > i) return 0;
        if (j >= far * group) return weights[far + j - far * group];
        return weights[Math.floor(j / group)] * shares[Math.floor(j / group)][j % group];
      });
    });
    return { pattern };
  },
  limits: [
    { when: "groups of one", options: { group: 1, window: 1 }, equals: "softmax" },
    { when: "the window covers everything", options: { window: 1000 }, equals: "softmax" },
  ],
});
