import type { Value } from "../graph/index.js";
import { build } from "../graph/index.js";
import type { EditSite, GraphEdit } from "../models/index.js";
import type { TokenSet } from "../models/index.js";
import { checkOptions, OptionError, Tensor } from "../tensor/index.js";
import { checkNumber, inHeads, layersAt, number, type HeadChoice } from "./parts/heads.js";
import { redistributed } from "./parts/redistribute.js";
import { inSet } from "./parts/tokens.js";

export interface RedistributeOptions extends HeadChoice {
  /** The tokens of the image, or of any other part that is to be attended to. */
  readonly image: TokenSet;
  /** Dimensions of the residual stream that are massive at sinks: 2533 and 1415 for Llama-2-7B. */
  readonly dimensions: readonly number[];
  /** A token is a sink where such a dimension of its normed residual is above this; default 20. */
  readonly tau?: number;
  /** A head is image-centric for a query that puts at least this much on the image; default 0.2 … */
  readonly imageShare?: number;
  /** … of which at most this share lies on the image's sinks; default 0.5. */
  readonly rho?: number;
  /** What the attention to sinks is multiplied by; default 0.6. */
  readonly p?: number;
}

/**
 * Visual attention redistribution: image-centric heads move attention from sinks, in the image and in the text, to the
 * image's other tokens.
 *
 *   φ(x) = max_{d ∈ dimensions} |x_d / √(mean x² + 10⁻⁶)| of the block's input · sink where φ > τ
 *   for queries after the image with Σ_img A ≥ imageShare and Σ_{sinks in img} A / (Σ_img A + 10⁻⁶ N) ≤ ρ:
 *   A′ = p A at sinks; what is freed goes to the image's other tokens in proportion
 *
 * Range    rows keep their mass; the source leaves out layers 0, 1 and the last
 * Source   arXiv:2503.03321 and its code; N is the number of the image's tokens
 */
export function redistribute(options: RedistributeOptions): GraphEdit {
  const known = ["layer", "head", "image", "dimensions", "tau", "imageShare", "rho", "p"];
  checkOptions("redistribute", options, known);
  const { layer, head, image, dimensions, tau = 20, imageShare = 0.2, rho = 0.5, p = 0.6 } = options;
  checkNumber("redistribute", "p", p, "a number in 0 … 1", (x) => x >= 0 && x <= 1);
  for (const [name, x] of Object.entries({ tau, imageShare, rho })) {
    checkNumber("redistribute", name, x, "a number of at least 0", (y) => y >= 0);
  }
  return {
    name: "redistribute",
    at: layersAt("attn.pattern", layer),
    edit: (pattern, site) => {
      const inImage = inSet("redistribute", "image", site, image); // [B,K]
      const sinks = build.greater(sinkMeasure(dimensions, site), number(site, "tau", tau)); // [B,K]
      const keys = (set: Value): Value => build.unsqueeze(set, [1, 2]); // [B,1,1,K]
      const within = (set: Value): Value => build.reduceSum(build.where(keys(set), pattern, 0), [3], true);
      const count = build.reduceSum(build.cast(keys(inImage), "float32"), [3], true);
      const onImage = within(inImage); // [B,H,Q,1]
      const share = build.div(within(build.and(inImage, sinks)), build.add(onImage, build.mul(count, 1e-6)));
      const isCentric = build.and(
        build.not(build.less(onImage, number(site, "imageShare", imageShare))),
        build.not(build.greater(share, number(site, "rho", rho))),
      );
      const isAfter = build.unsqueeze(afterSet(inImage, site), [1, 3]); // [B,1,Q,1]
      const visual = build.and(inImage, build.not(sinks));
      const moved = redistributed(pattern, keys(sinks), keys(visual), number(site, "p", p));
      const changed = build.where(build.and(isCentric, isAfter), moved, pattern);
      return inHeads("redistribute", site, head, pattern, changed);
    },
  };
}

/** φ of every token, [B,K]. */
function sinkMeasure(dimensions: readonly number[], { at, layer, feed }: EditSite): Value {
  const x = at(`blocks.${layer}.resid_pre`);
  const width = x.shape[2] as number;
  if (dimensions.length === 0 || dimensions.some((d) => !Number.isInteger(d) || d < 0 || d >= width)) {
    throw new OptionError(
      `redistribute: dimensions must be whole numbers in 0 … ${width - 1}, got [${dimensions.join()}]`,
    );
  }
  const power = build.reduceMean(build.mul(x, x), [2], true);
  const normed = build.abs(build.div(x, build.sqrt(build.add(power, 1e-6))));
  const picked = feed("dimensions", new Tensor("int32", [dimensions.length], Int32Array.from(dimensions)));
  return build.reduceMax(build.gather(normed, picked, 2), [2]);
}

/** Whether a query comes after every token of the set, [B,Q]; none does where the set is empty. */
function afterSet(set: Value, { batch, feed }: EditSite): Value {
  const { length } = batch;
  const ordinals = new Tensor(
    "float32",
    [length],
    Float32Array.from({ length }, (_, t) => t + 1),
  );
  const order = feed("ordinals", ordinals, [set.shape[1]]);
  const last = build.reduceMax(build.where(set, order, 0), [1], true); // [B,1]
  return build.and(build.greater(order, last), build.greater(last, 0));
}
