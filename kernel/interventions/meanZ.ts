import type { Value } from "../graph/index.js";
import { build } from "../graph/index.js";
import type { EditSite, GraphEdit } from "../models/index.js";
import { checkOptions, formatShape, OptionError, ShapeError, Tensor } from "../tensor/index.js";
import { inHeads, layersAt, type HeadChoice } from "./parts/heads.js";

export interface MeanOptions extends HeadChoice {
  /**
   * What the mean is taken over, in the untouched run: all real tokens of the `"batch"`; each `"position"` over the prompts;
   * or a data set, given as its means [layer, head, headDim].
   */
  readonly over: "batch" | "position" | Tensor;
}

/**
 * Sets the outputs of heads to a mean.
 *
 *   batch: z′[b,q] = Σ_{b′,q′ real} z[b′,q′] / Σ_{b′,q′ real} 1 · position: the sums over b′ alone
 *
 * Shapes   over [L,H,D] where it is a tensor
 * Range    at a position without a real token the mean is 0
 * Source   arXiv:2211.00593 §2 (mean over a data set, by position)
 */
export function meanZ(options: MeanOptions): GraphEdit {
  checkOptions("meanZ", options, ["layer", "head", "over"]);
  const { layer, head, over } = options;
  if (over !== "batch" && over !== "position" && !(over instanceof Tensor)) {
    throw new OptionError(`meanZ: over must be "batch", "position" or a tensor of means, got ${String(over)}`);
  }
  return {
    name: "meanZ",
    at: layersAt("attn.z", layer),
    edit: (z, site) => inHeads("meanZ", site, head, z, build.expand(fillOf(over, site), z.shape)),
  };
}

function fillOf(over: MeanOptions["over"], site: EditSite): Value {
  if (over instanceof Tensor) return given(over, site);
  const weight = build.unsqueeze(site.real, [1, 3]); // [B,1,Q,1]
  const axes = over === "batch" ? [0, 2] : [0];
  const sum = build.reduceSum(build.mul(site.clean(site.address), weight), axes, true);
  const count = build.reduceSum(weight, axes, true);
  return build.div(sum, build.where(build.greater(count, 0), count, 1));
}

/** [1,H,1,D] */
function given(means: Tensor, { model, layer, feed }: EditSite): Value {
  const expected = [model.layers, model.heads, model.headDim];
  if (means.shape.join() !== expected.join() || means.dtype !== "float32") {
    throw new ShapeError(
      `meanZ: means must be ${formatShape(expected)} float32, got ${formatShape(means.shape)} ${means.dtype}`,
    );
  }
  return build.unsqueeze(feed("means", means.slice(layer)), [0, 2]);
}
