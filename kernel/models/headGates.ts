import type { Value } from "../graph/index.js";
import { build, input } from "../graph/index.js";
import { checkOptions, OptionError, Tensor } from "../tensor/index.js";
import type { Address } from "./addresses.js";
import { layerOf, resolveAddresses } from "./addresses.js";
import type { Batch, Blueprint } from "./family.js";
import type { Edit } from "./forward.js";

/** Takes one head out of a run. */
export interface Intervention {
  /** The head's output, `blocks.3.attn.z`. */
  readonly at: Address;
  readonly head: number;
  /** `"zero"`, or `"mean"`: the head's mean output over the batch of the untouched run. */
  readonly mode: "zero" | "mean";
  /** Positions that the mean is taken over: those that are not padding, or all. */
  readonly positions?: "real" | "all";
}

/** An intervention that fits the model. */
export interface HeadEdit {
  readonly layer: number;
  readonly head: number;
  readonly mode: "zero" | "mean";
  readonly positions: "real" | "all";
}

/**
 * Interventions checked against a model.
 *
 * Throws   OptionError on an unknown address, head, mode or option
 */
export function headEdits(interventions: readonly Intervention[], { layers, heads }: Blueprint): readonly HeadEdit[] {
  const known = Array.from({ length: layers }, (_, layer) => `blocks.${layer}.attn.z`);
  return interventions.flatMap((intervention, i) => {
    const place = `interventions[${i}]`;
    checkOptions(place, intervention, ["at", "head", "mode", "positions"]);
    const { at, head, mode, positions = "real" } = intervention;
    if (!Number.isInteger(head) || head < 0 || head >= heads) {
      throw new OptionError(`${place}: head must be a whole number in 0 … ${heads - 1}, got ${String(head)}`);
    }
    if (!["zero", "mean"].includes(mode))
      throw new OptionError(`${place}: mode must be "zero" or "mean", got "${mode}"`);
    if (!["real", "all"].includes(positions)) {
      throw new OptionError(`${place}: positions must be "real" or "all", got "${positions}"`);
    }
    return resolveAddresses(place, at, known).map((address) => ({ layer: layerOf(address), head, mode, positions }));
  });
}

/**
 * Lets two graph inputs decide about every head: one graph serves every ablation.
 *
 *   z′ = gate · z + (1 − gate) · fill
 *
 * Shapes   head_gates [batch, layer, head] · head_fill [layer, head, headDim]
 * Range    with every gate at 1, z′ equals z exactly
 */
export function gateHeads({ layers, heads, headDim }: Blueprint): Edit {
  const gates = input("head_gates", "float32", ["batch", layers, heads]);
  const fills = input("head_fill", "float32", [layers, heads, headDim]);
  return (address: Address, value: Value): Value => {
    if (!address.endsWith(".attn.z")) return value;
    const layer = layerOf(address);
    const own = (x: Value, axis: number): Value => build.squeeze(build.slice(x, axis, layer, layer + 1), [axis]);
    const gate = build.unsqueeze(own(gates, 1), [2, 3]); // [B,H,1,1]
    const fill = build.unsqueeze(own(fills, 0), [0, 2]); // [1,H,1,D]
    return build.add(build.mul(value, gate), build.mul(fill, build.sub(1, gate)));
  };
}

/** A head's mean output over a batch, [headDim]. */
function meanOutput(z: Tensor, { head, positions }: HeadEdit, { size, length, attentionMask }: Batch): Float32Array {
  const [, heads, , headDim] = z.shape as [number, number, number, number];
  const sum = new Float64Array(headDim);
  let count = 0;
  for (let b = 0; b < size; b++) {
    for (let t = 0; t < length; t++) {
      if (positions === "real" && attentionMask[b * length + t] === 0) continue;
      count++;
      const start = ((b * heads + head) * length + t) * headDim;
      for (let d = 0; d < headDim; d++) sum[d] += z.data[start + d] as number;
    }
  }
  return Float32Array.from(sum, (total) => total / Math.max(count, 1));
}

/** Feeds of the gated graph; `clean` gives z of the untouched run for the layers whose mean is needed. */
export function gateFeeds(
  edits: readonly HeadEdit[],
  { layers, heads, headDim }: Blueprint,
  batch: Batch,
  clean: (layer: number) => Tensor,
): Readonly<Record<string, Tensor>> {
  const gates = new Float32Array(batch.size * layers * heads).fill(1);
  const fills = new Float32Array(layers * heads * headDim);
  for (const edit of edits) {
    const at = edit.layer * heads + edit.head;
    for (let b = 0; b < batch.size; b++) gates[b * layers * heads + at] = 0;
    if (edit.mode === "mean") fills.set(meanOutput(clean(edit.layer), edit, batch), at * headDim);
  }
  return {
    head_gates: new Tensor("float32", [batch.size, layers, heads], gates),
    head_fill: new Tensor("float32", [layers, heads, headDim], fills),
  };
}
