import type { Value } from "../graph/index.js";
import { build } from "../graph/index.js";
import { lengthOf, past } from "./lengths.js";
import type { Call, MechanismSpec } from "./mechanism.js";
import { sizesOf } from "./mechanism.js";
import type { ReferenceHead } from "./reference.js";
import { dot, normalisedRows, softmaxRow } from "./reference.js";
import type { Scale } from "./steps.js";
import { maskedSoftmax, mixed, perHead, products, scaleOf } from "./steps.js";

/** What tells one mechanism from another whose keys have their scores whoever asks. */
export interface OwnScoreTraits<O> {
  /** The score of every key, [B,H,1,K]. */
  readonly scoresOf: (call: Call, heads: number, options: O) => Value;
  /** The same in plain numbers, written from the definition. */
  readonly scoreOf: (head: ReferenceHead, key: number, options: O) => number;
}

/** Scores of every key for one learned query per head, the parameter `query` [H,D]; → [B,H,1,K] */
export function learnedScores({ k, parameters }: Call, heads: number, scale: Scale): Value {
  const query = build.unsqueeze(parameters!["query"], [0, 2]); // [1,H,1,D]
  const [batch, , , headDim] = k.shape;
  const asked = build.expand(query, [batch, heads, 1, headDim]);
  return build.mul(products(asked, k), scaleOf(scale, headDim as number));
}

/** The same in plain numbers. */
export function learnedScore({ parameters, head, k }: ReferenceHead, key: number, scale: Scale): number {
  const dim = k[0].length;
  return scaleOf(scale, dim) * dot(parameters["query"].slice(head * dim, (head + 1) * dim), k[key]);
}

const larger = (a: Value, b: Value): Value => build.where(build.less(a, b), b, a);

/**
 * What causal mechanisms share whose scores do not depend on who asks: a maximum, a sum and a mean carry all that came before.
 *
 *   z_t = Σ_{j≤t} e^{s_j} v_j / Σ_{j≤t} e^{s_j}
 *   m' = max(m, s)   u' = u·e^{m−m'} + e^{s−m'}   w' = w·e^{m−m'} + v·e^{s−m'}   z = w'/u'
 */
export function ownScores<O extends object>(
  name: string,
  { scoresOf, scoreOf }: OwnScoreTraits<O>,
): Pick<MechanismSpec<O>, "promises" | "cost" | "build" | "reference" | "stream"> {
  return {
    promises: { sees: "causal", rows: "one", mixesValues: true },
    cost: { time: "T²·D here; T·D by its recurrence", state: "D + 2" },
    build: (call, options) => {
      const { q, v } = call;
      const sizes = sizesOf(name, call);
      const length = lengthOf(name, sizes);
      const once = scoresOf(call, sizes.heads, options);
      const scores = build.expand(once, [sizes.batch, sizes.heads, length, length]);
      const pattern = maskedSoftmax(scores, past(q, length));
      return { scores, pattern, z: mixed(pattern, v) };
    },
    reference: (head, options) => {
      const causal = { ...head, sees: (i: number, j: number): boolean => j <= i };
      return { pattern: normalisedRows(causal, (_, j) => scoreOf(head, j, options), softmaxRow) };
    },
    stream: {
      state: ({ valueDim }) => ({
        highest: { shape: [1, 1], initial: -1e30 },
        sum: { shape: [1, 1], initial: 0 },
        mean: { shape: [1, valueDim], initial: 0 },
      }),
      step: ({ highest, sum, mean }, token, options) => {
        const { heads } = sizesOf(name, token);
        const score = scoresOf(token, heads, options); // [B,H,1,1]
        const top = larger(highest, score);
        const [kept, added] = [build.exp(build.sub(highest, top)), build.exp(build.sub(score, top))];
        const total = build.add(build.mul(sum, kept), added);
        const weighted = build.add(build.mul(mean, kept), build.mul(perHead(token.v, heads), added));
        return { z: build.div(weighted, total), state: { highest: top, sum: total, mean: weighted } };
      },
    },
  };
}
