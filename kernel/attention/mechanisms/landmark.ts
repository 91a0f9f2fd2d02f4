import type { Value } from "../../graph/index.js";
import { build } from "../../graph/index.js";
import { OptionError, wholeNumber } from "../../tensor/index.js";
import { lengthOf, past, places, table } from "../lengths.js";
import type { Mechanism } from "../mechanism.js";
import { mechanism, sizesOf } from "../mechanism.js";
import { dot, softmaxRow } from "../reference.js";
import type { Scale } from "../steps.js";
import { hideScores, mixed, products, scaleOf } from "../steps.js";

interface LandmarkOptions {
  readonly scale: Scale;
  /** Tokens per block. */
  readonly block: number;
  /** How many earlier blocks a query reads: those of the highest landmarks. */
  readonly retrieved: number | "all";
  /** A key of its own per block, or what softmax itself would give the block. */
  readonly landmarks: "learned" | "log-sum-exp";
}

function check({ block, retrieved, landmarks }: LandmarkOptions): void {
  wholeNumber("landmark", "block", block);
  if (retrieved !== "all") wholeNumber("landmark", "retrieved", retrieved);
  if (landmarks !== "learned" && landmarks !== "log-sum-exp")
    throw new OptionError(`landmark: landmarks must be "learned" or "log-sum-exp", got "${String(landmarks)}"`);
}

/** Scores of the landmarks that are not among the `count` highest of their row, hidden. */
function highest(scores: Value, count: number): Value {
  const least = build.slice(build.topK(scores, count, 3).values, 3, count - 1, count);
  return hideScores(scores, build.greaterOrEqual(scores, least));
}

/**
 * One landmark per block: a query shares its weight among its own block's keys and the landmarks of earlier blocks, and a
 * landmark's share among its block's keys.
 *
 *   pattern[i,j] = G_i(j) in i's own block, G_i(landmark of b) · softmax_{j' in b}(s[i,j']) in an earlier block b
 *   G_i = softmax over the own block's keys up to i and the landmarks of earlier blocks
 *
 * The gate `landmark` is the landmark's key, read at the last token of its block. Which blocks are retrieved has no
 * gradient; their weights have one.
 *
 * Range    rows sum to 1. All blocks retrieved is not softmax; landmarks that score the block's log Σ exp are
 * Source   Landmark Attention, arXiv:2305.16300 §3.1 (grouped softmax) and §3.2 (retrieval)
 * Differs  the landmark is not a token of its own: its key is a projection of the block's last token, and it has no value
 */
export const landmark: Mechanism<LandmarkOptions> = mechanism<LandmarkOptions>({
  name: "landmark",
  summary: "one landmark per block gates the attention to its keys",
  source: "arXiv:2305.16300 §3.1",
  differs: "the landmark's key is a projection of its block's last token, not a token of its own",
  rows: [49],
  defaults: { scale: "1/√D", block: 50, retrieved: "all", landmarks: "learned" },
  promises: { sees: "causal", rows: "one", mixesValues: true },
  cost: { time: "T²·D here; T·(b·n + T/b)·D for n blocks", state: "2·T·D, of which 2·b·(n + 1)·D are read" },
  gates: { landmark: { per: "keyChannel", range: [-Infinity, Infinity] } },
  build: ({ q, k, v, gates }, options) => {
    check(options);
    const { scale, block, retrieved, landmarks } = options;
    const sizes = sizesOf("landmark", { q, k, v });
    const { batch, heads, headDim } = sizes;
    const length = lengthOf("landmark", sizes);
    const factor = scaleOf(scale, headDim);
    const scores = build.mul(products(q, k), factor);
    const own = table(q, [length], (t) => Math.floor(t / block));
    const ownColumn = build.unsqueeze(own, [1]);
    const local = hideScores(scores, build.and(past(q, length), build.equal(ownColumn, own)));
    const blocks = Math.floor((length - 1) / block);
    if (blocks === 0) {
      const pattern = build.softmax(local, -1);
      return { scores, pattern, z: mixed(pattern, v) };
    }
    const whole = blocks * block;
    const inBlocks = build.reshape(build.slice(scores, 3, 0, whole), [batch, heads, length, blocks, block]);
    const keys = build.slice(gates["landmark"], 2, block - 1, whole, block); // [B,H,M,D]
    const asked =
      landmarks === "learned"
        ? build.mul(build.matMul(q, build.transpose(keys, [0, 1, 3, 2])), factor)
        : build.logSumExp(inBlocks, [4]);
    const earlier = hideScores(asked, build.less(places(q, blocks), ownColumn));
    const gate = retrieved === "all" || retrieved >= blocks ? earlier : highest(earlier, retrieved);
    const weights = build.softmax(build.concat([gate, local], 3), -1);
    const [onBlocks, onKeys] = [build.slice(weights, 3, 0, blocks), build.slice(weights, 3, blocks, blocks + length)];
    const spread = build.mul(build.unsqueeze(onBlocks, [4]), build.softmax(inBlocks, -1));
    const flat = build.reshape(spread, [batch, heads, length, whole]);
    const pattern = build.add(onKeys, build.pad(flat, [[0, 0], [0, 0], [0, 0], [0, length - whole]])); // prettier-ignore
    return { scores, pattern, z: mixed(pattern, v) };
  },
  reference: ({ q, k, gates }, { scale, block, retrieved, landmarks }) => {
    const factor = scaleOf(scale, q[0].length);
    const pattern = q.map((query, i) => {
      const scores = k.map((key) => factor * dot(query, key));
      const blocks = Math.floor(i / block);
      const members = Array.from({ length: blocks }, (_, m) => scores.slice(m * block, (m + 1) * block));
      const asked = members.map((inside, m) =>
        landmarks === "learned"
          ? factor * dot(query, gates["landmark"][(m + 1) * block - 1])
          : Math.log(inside.reduce((sum, score) => sum + Math.exp(score), 0)),
      );
      const order = asked.map((_, m) => m).sort((a, b) => asked[b] - asked[a]);
      const taken = retrieved === "all" ? order : order.slice(0, retrieved);
      const group = softmaxRow([...taken.map((m) => asked[m]), ...scores.slice(blocks * block, i + 1)]);
      const row = k.map(() => 0);
      taken.forEach((m, at) => {
        softmaxRow(members[m]).forEach((share, j) => (row[m * block + j] = group[at] * share));
      });
      for (let j = blocks * block; j <= i; j++) row[j] = group[taken.length + j - blocks * block];
      return row;
    });
    return { pattern };
  },
  limits: [
    { when: "the block covers everything", options: { block: 1000 }, equals: "softmax" },
    { when: "a landmark scores its block's log Σ exp", options: { block: 2, landmarks: "log-sum-exp" }, equals: "softmax" }, // prettier-ignore
  ],
  alsoAsked: [{ block: 2 }, { block: 2, retrieved: 1 }, { block: 3, landmarks: "log-sum-exp" }],
});
