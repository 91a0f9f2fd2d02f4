import type { Value } from "../graph/index.js";
import { build } from "../graph/index.js";
import type { EditSite, GraphEdit } from "../models/index.js";
import { fromQueries } from "../models/index.js";
import { checkOptions, Tensor } from "../tensor/index.js";
import { checkNumber, layersAt } from "./parts/heads.js";
import { otherTokens } from "./parts/tokens.js";
import { withoutKeys } from "./parts/withoutKeys.js";

export interface CascadePruningOptions {
  /** Share of a prompt's tokens that the last layer reads; default 1. */
  readonly tokens?: number;
  /** Share of the heads that the last layer keeps; default 1. */
  readonly heads?: number;
}

/** What a layer still has, and how much each has counted before it. */
interface Kept {
  /** [B,K] bool; padding is not kept. */
  readonly tokens: Value;
  /** [B,H] bool; undefined where all are kept. */
  readonly heads?: Value;
  readonly counted?: { readonly tokens: Value; readonly heads: Value };
}

/**
 * Takes out the tokens, and the heads, that counted least in the layers before; what is out stays out.
 *
 *   token k in layer l: Σ_{l′<l} Σ_h Σ_{q kept} A_{l′,h}[q,k]        head h: Σ_{l′<l} Σ_{q kept} Σ_d |z_{l′,h}[q,d]|
 *   kept in layer l of L: the highest ⌈n · (1 − (1 − share) · l/(L − 1))⌉, of equal ones the first
 *
 * A token that is out is hidden from every other one, as by `removeTokens`; a head that is out gives z = 0.
 *
 * Range    shares of 1 change nothing; the first layer is never changed; one token and one head stay at least
 * Source   SpAtten, arXiv:2012.09852 §III: cascade token and head pruning, importance from attention and from outputs
 * Differs  importance is that of one pass over the whole prompt; layers between the first and the last prune on a straight
 *          line; values are not pruned by themselves, and nothing is quantised
 * Example  model.run(prompt, { interventions: [interventions.cascadePruning({ tokens: 0.5, heads: 0.75 })] })
 */
export function cascadePruning(options: CascadePruningOptions = {}): GraphEdit {
  checkOptions("cascadePruning", options, ["tokens", "heads"]);
  const { tokens = 1, heads = 1 } = options;
  for (const [name, share] of Object.entries({ tokens, heads }))
    checkNumber("cascadePruning", name, share, "a share in 0 … 1", (x) => x >= 0 && x <= 1);
  // By the pattern of the layer before: a graph is written layer by layer, and asks three times in each.
  const known = new WeakMap<Value, Kept>();
  const keptIn = (layer: number, site: EditSite): Kept => {
    if (layer === 0) return { tokens: build.greater(site.real, 0) };
    const pattern = site.at(`blocks.${layer - 1}.attn.pattern`);
    const found = known.get(pattern) ?? next(keptIn(layer - 1, site), layer, pattern, site, { tokens, heads });
    known.set(pattern, found);
    return found;
  };
  return {
    name: "cascadePruning",
    at: ["attn.scores", "attn.pattern", "attn.z"].flatMap((part) => layersAt(part, undefined)),
    edit: (value, site) => {
      if (site.layer === 0) return value;
      const kept = keptIn(site.layer, site);
      if (site.address.endsWith(".z")) return build.where(build.unsqueeze(kept.heads!, [2, 3]), value, 0);
      const isOut = build.unsqueeze(build.not(kept.tokens), [1, 2]); // [B,1,1,K]
      return withoutKeys("cascadePruning", value, build.and(isOut, otherTokens(site)), site, undefined);
    },
  };
}

/** What a layer keeps of what the layer before it had. */
function next(
  before: Kept,
  layer: number,
  pattern: Value,
  site: EditSite,
  shares: Required<CascadePruningOptions>,
): Kept {
  const { at, batch, feed, model, real } = site;
  const queries = build.cast(before.tokens, "float32"); // [B,Q]
  const received = build.reduceSum(fromQueries(pattern, queries), [1]); // [B,K]
  const sizes = build.reduceSum(build.abs(at(`blocks.${layer - 1}.attn.z`)), [3]); // [B,H,Q]
  const given = build.reduceSum(build.mul(sizes, build.unsqueeze(queries, [1])), [2]); // [B,H]
  const sum = (part: "tokens" | "heads", more: Value): Value =>
    before.counted ? build.add(before.counted[part], more) : more;
  const counted = { tokens: sum("tokens", received), heads: sum("heads", given) };
  const left = (count: number, share: number): number =>
    // 10 · 0.7 is a little more than 7 in binary numbers.
    Math.max(1, Math.ceil(count * (1 - ((1 - share) * layer) / (model.layers - 1)) - 1e-9));
  const { size, length, attentionMask } = batch;
  const ofRow = (row: number): number =>
    left(
      attentionMask.subarray(row * length, (row + 1) * length).reduce((a, b) => a + b, 0),
      shares.tokens,
    );
  const limits = new Tensor(
    "float32",
    [size, 1],
    Float32Array.from({ length: size }, (_, row) => ofRow(row)),
  );
  const places = feed("places", ordinals(length), [real.shape[1]]);
  const headPlaces = feed("places of heads", ordinals(model.heads));
  const headLimit = feed("heads left", new Tensor("float32", [], Float32Array.of(left(model.heads, shares.heads))));
  return {
    tokens: highest(
      build.where(before.tokens, counted.tokens, -1),
      feed("tokens left", limits, [real.shape[0], 1]),
      places,
    ),
    heads: highest(before.heads ? build.where(before.heads, counted.heads, -1) : counted.heads, headLimit, headPlaces),
    counted,
  };
}

/** Whether a number is among the highest of its row; of equal ones the first are. Shapes: x [B,N] · limit [B,1] or [] · places [N] → [B,N] */
function highest(x: Value, limit: Value, places: Value): Value {
  const [other, own] = [build.unsqueeze(x, [1]), build.unsqueeze(x, [2])];
  const isEarlier = build.less(build.unsqueeze(places, [0]), build.unsqueeze(places, [1])); // [N,N]: the other before its own
  const isAhead = build.or(build.greater(other, own), build.and(build.equal(other, own), isEarlier)); // [B,N,N]
  return build.less(build.reduceSum(build.cast(isAhead, "float32"), [2]), limit);
}

function ordinals(count: number): Tensor<"float32"> {
  return new Tensor(
    "float32",
    [count],
    Float32Array.from({ length: count }, (_, i) => i),
  );
}
