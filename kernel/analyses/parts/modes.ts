import { build } from "../../graph/index.js";
import { bosPattern, meanZ, replace, uniformPattern, zeroQ, zeroZ } from "../../interventions/index.js";
import type { GraphEdit } from "../../models/index.js";
import type { Tensor } from "../../tensor/index.js";
import { random } from "../../tensor/index.js";

/** Ways to take a head out; each is a different experiment. */
export type AblationMode = "zero" | "mean" | "resample" | "uniform" | "bos" | "zeroQ";

export const modeNames: readonly AblationMode[] = ["zero", "mean", "resample", "uniform", "bos", "zeroQ"];

/** What modes need besides the run itself. */
export interface ModeData {
  readonly layer: number;
  /** Mean head outputs over the prompts, [L,H,D]. */
  readonly means: Tensor | undefined;
  /** Head outputs of another prompt, as often as there are rows, [B,H,Q,D]. */
  readonly others: Tensor | undefined;
}

/** Whether a mode sets head outputs, so that some of their channels can be set as well. */
export function setsOutputs(mode: AblationMode): boolean {
  return mode === "zero" || mode === "mean" || mode === "resample";
}

/** The intervention of a mode on all heads of a layer. */
export function editOf(mode: AblationMode, { layer, means, others }: ModeData): GraphEdit {
  switch (mode) {
    case "zero":
      return zeroZ({ layer });
    case "mean":
      return meanZ({ layer, over: means! });
    case "resample":
      return replace({ at: `blocks.${layer}.attn.z`, with: others! });
    case "uniform":
      return uniformPattern({ layer });
    case "bos":
      return bosPattern({ layer });
    case "zeroQ":
      return zeroQ({ layer });
  }
}

/**
 * An intervention that acts in each row of the batch on heads or tokens, or on channels of heads, of its own.
 *
 * Shapes   mask [batch,H], [batch,Q] or [batch,H,D] bool; the intervention acts on [B,H,…,…], [B,Q,M] or [B,H,Q,D]
 */
export function perRow(edit: GraphEdit, mask: Tensor<"bool">): GraphEdit {
  const channels = mask.shape.slice(2);
  return {
    name: edit.name,
    at: edit.at,
    edit: (value, site) => {
      const [, second, ...others] = value.shape;
      const rows = site.feed("rows", mask, ["batch", second, ...channels]);
      const axes = channels.length > 0 ? [2] : others.map((_, i) => i + 2);
      return build.where(build.unsqueeze(rows, axes), edit.edit(value, site), value);
    },
  };
}

/** A random head: as many channels as a head has, drawn from all heads of the layer, [H·D] 0 or 1. */
export function randomHead(seed: number, layer: number, index: number, heads: number, headDim: number): Uint8Array {
  const order = random(seed)
    .fork("random heads")
    .fork(layer)
    .fork(index)
    .permutation(heads * headDim).data;
  const mask = new Uint8Array(heads * headDim);
  for (let i = 0; i < headDim; i++) mask[order[i]] = 1;
  return mask;
}
