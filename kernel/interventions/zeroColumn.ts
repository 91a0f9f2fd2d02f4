import { build } from "../graph/index.js";
import type { GraphEdit } from "../models/index.js";
import { checkOptions } from "../tensor/index.js";
import { chosen, layersAt, type HeadChoice } from "./parts/heads.js";

export interface ColumnOptions extends Pick<HeadChoice, "layer"> {
  /** Columns of W_O as linear layers store it [out,in], 0 … H·D−1: column h·D + d reads dimension d of head h. */
  readonly column: number | readonly number[];
}

/**
 * Sets columns of the output projection W_O to zero: one dimension of one head's output each.
 *
 *   z′[h,d] = 0 where h·D + d is a column
 */
export function zeroColumn(options: ColumnOptions): GraphEdit {
  checkOptions("zeroColumn", options, ["layer", "column"]);
  const { layer, column } = options;
  return {
    name: "zeroColumn",
    at: layersAt("attn.z", layer),
    edit: (z, { model, feed }) => {
      const columns = feed("columns", chosen("zeroColumn", "column", column, model.heads * model.headDim));
      return build.where(build.reshape(columns, [1, model.heads, 1, model.headDim]), 0, z);
    },
  };
}
