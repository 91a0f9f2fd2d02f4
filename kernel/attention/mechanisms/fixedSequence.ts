import type { Value } from "../../graph/index.js";
import { build, constant } from "../../graph/index.js";
import { random, wholeNumber } from "../../tensor/index.js";
import { lengthOf } from "../lengths.js";
import type { Mechanism } from "../mechanism.js";
import { mechanism, sizesOf } from "../mechanism.js";
import { dot, normalisedRows, softmaxRow } from "../reference.js";
import type { Scale } from "../steps.js";
import { attendByScores, maskedSoftmax, scaleOf } from "../steps.js";

interface FixedSequenceOptions {
  readonly scale: Scale;
  /** Of the sequence. */
  readonly seed: number;
}

/**
 * Softmax attention that knows positions only: queries and keys come from one fixed random sequence, whatever the tokens.
 *
 *   s[i,j] = scale · (W_Q r_i)·(W_K r_j),  r_t drawn once from N(0, 1)
 *
 * The call's queries and keys are not looked at; values are.
 *
 * Range    rows sum to 1
 * Source   after RndEmbQK of Deconstructing Attention, arXiv:2510.11602 eq. 9–10
 * Differs  the sequence makes queries and keys by itself, as wide as a head; the paper's first runs through the layers below,
 *          which a mechanism does not see: that is `queriesFrom: "noise"` of `transformer`
 */
export const fixedSequence: Mechanism<FixedSequenceOptions> = mechanism({
  name: "fixedSequence",
  summary: "softmax whose queries and keys come from a fixed random sequence",
  source: "after arXiv:2510.11602 eq. 9–10",
  differs:
    "the sequence is as wide as a head and does not run through the layers below, as `queriesFrom` of `transformer` has it",
  rows: [16],
  defaults: { scale: "1/√D", seed: 0 },
  promises: { sees: "mask", rows: "one", mixesValues: true },
  cost: { time: "T²·D", state: "T·D" },
  held: ({ valueHeads, valueDim, keys }) => keys * valueHeads * valueDim,
  parameters: ({ heads, headDim }) => ({
    queryMap: { shape: [heads, headDim, headDim], initial: { std: 1 / Math.sqrt(headDim) } },
    keyMap: { shape: [heads, headDim, headDim], initial: { std: 1 / Math.sqrt(headDim) } },
  }),
  build: ({ q, k, v, mask, bias, parameters }, { scale, seed }) => {
    wholeNumber("fixedSequence", "seed", seed, 0);
    const sizes = sizesOf("fixedSequence", { q, k, v });
    const { batch, heads, headDim } = sizes;
    const length = lengthOf("fixedSequence", sizes);
    const drawn = random(seed).normal([length, headDim], { dtype: "float64" });
    const sequence = build.cast(constant(drawn), q.dtype);
    const of = (map: Value): Value =>
      build.expand(build.matMul(sequence, build.transpose(map, [0, 2, 1])), [batch, heads, length, headDim]);
    const call = { q: of(parameters["queryMap"]), k: of(parameters["keyMap"]), v, mask, bias };
    return attendByScores(call, scale, maskedSoftmax);
  },
  reference: (head, { scale, seed }) => {
    const { q, parameters } = head;
    const dim = q[0].length;
    const drawn = random(seed).normal([q.length, dim], { dtype: "float64" }).numbers();
    const mapped = (name: string, t: number): number[] =>
      Array.from({ length: dim }, (_, r) => {
        const start = (head.head * dim + r) * dim;
        return dot(parameters[name].slice(start, start + dim), Array.from(drawn.subarray(t * dim, (t + 1) * dim)));
      });
    const score = (i: number, j: number): number =>
      scaleOf(scale, dim) * dot(mapped("queryMap", i), mapped("keyMap", j));
    return { pattern: normalisedRows(head, score, softmaxRow) };
  },
  limits: [{ when: "its maps are 0", parameters: { queryMap: 0, keyMap: 0 }, equals: "softmax", with: { scale: 0 } }],
});
