import type { Value } from "../../graph/index.js";
import { build } from "../../graph/index.js";
import { lengthOf, past } from "../lengths.js";
import type { Call, Mechanism } from "../mechanism.js";
import { mechanism, sizesOf } from "../mechanism.js";
import { dot, normalisedRows, softmaxRow } from "../reference.js";
import type { Scale } from "../steps.js";
import { maskedSoftmax, mixed, perHead, products, scaleOf } from "../steps.js";

interface AarenOptions {
  readonly scale: Scale;
}

/** The learned query's score of every key, [B,H,1,K]; the query is one row per head. */
function scoresOf({ k, parameters }: Call, heads: number, { scale }: AarenOptions): Value {
  const query = build.unsqueeze(parameters!["query"], [0, 2]); // [1,H,1,D]
  const [batch, , , headDim] = k.shape;
  const asked = build.expand(query, [batch, heads, 1, headDim]);
  return build.mul(products(asked, k), scaleOf(scale, headDim as number));
}

const larger = (a: Value, b: Value): Value => build.where(build.less(a, b), b, a);

/**
 * Attention as a recurrence: one learned query per head, so that a maximum, a sum and a mean carry all that came before.
 *
 *   m' = max(m, s)   u' = u·e^{m−m'} + e^{s−m'}   w' = w·e^{m−m'} + v·e^{s−m'}   z = w'/u'
 *
 * The call's queries are not looked at.
 *
 * Range    rows sum to 1
 * Source   Aaren, arXiv:2405.13956 §3.2
 */
export const aaren: Mechanism<AarenOptions> = mechanism({
  name: "aaren",
  summary: "softmax attention of one learned query per head, as a recurrence",
  source: "arXiv:2405.13956 §3.2",
  rows: [56],
  defaults: { scale: "1/√D" },
  promises: { sees: "causal", rows: "one", mixesValues: true },
  cost: { time: "T²·D here; T·D by its recurrence", state: "D + 2" },
  parameters: ({ heads, headDim }) => ({ query: { shape: [heads, headDim], initial: { std: 1 } } }),
  build: (call, options) => {
    const { q, v } = call;
    const sizes = sizesOf("aaren", call);
    const length = lengthOf("aaren", sizes);
    const once = scoresOf(call, sizes.heads, options);
    const scores = build.expand(once, [sizes.batch, sizes.heads, length, length]);
    const pattern = maskedSoftmax(scores, past(q, length));
    return { scores, pattern, z: mixed(pattern, v) };
  },
  reference: (head, { scale }) => {
    const { parameters, k } = head;
    const dim = k[0].length;
    const query = parameters["query"].slice(head.head * dim, (head.head + 1) * dim);
    const causal = { ...head, sees: (i: number, j: number): boolean => j <= i };
    return { pattern: normalisedRows(causal, (_, j) => scaleOf(scale, dim) * dot(query, k[j]), softmaxRow) };
  },
  limits: [],
  stream: {
    state: ({ valueDim }) => ({
      highest: { shape: [1, 1], initial: -1e30 },
      sum: { shape: [1, 1], initial: 0 },
      mean: { shape: [1, valueDim], initial: 0 },
    }),
    step: ({ highest, sum, mean }, token, options) => {
      const { heads } = sizesOf("aaren", token);
      const score = scoresOf(token, heads, options); // [B,H,1,1]
      const top = larger(highest, score);
      const [kept, added] = [build.exp(build.sub(highest, top)), build.exp(build.sub(score, top))];
      const total = build.add(build.mul(sum, kept), added);
      const weighted = build.add(build.mul(mean, kept), build.mul(perHead(token.v, heads), added));
      return { z: build.div(weighted, total), state: { highest: top, sum: total, mean: weighted } };
    },
  },
});
