import type { Value } from "../graph/index.js";
import { build, input } from "../graph/index.js";
import { checkOptions, knownNames, OptionError, Tensor } from "../tensor/index.js";
import type { Address } from "./addresses.js";
import { resolveAddresses } from "./addresses.js";
import type { Batch, Blueprint } from "./family.js";
import type { Edit } from "./forward.js";
import type { AttentionStack } from "./attentionStack.js";
import { batchAxis, partsOf, sequenceOf, stacksOf } from "./stacks.js";

/** Which heads an intervention means: one address, or a layer, with its stack where a model has several. */
export type HeadPlace =
  | {
      /** The head's output: `blocks.3.attn.z`. */
      readonly at: Address;
    }
  | {
      /** `"encoder"`, `"decoder"`, `"cross"`, `"text"` … where a model has several. */
      readonly stack?: string;
      readonly layer: number;
    };

/** Takes one head out of a run. */
export type Intervention = HeadPlace & {
  readonly head: number;
  /** `"zero"`, or `"mean"`: the head's mean output over the batch of the untouched run. */
  readonly mode: "zero" | "mean";
  /** Positions that the mean is taken over: those that are not padding, or all. */
  readonly positions?: "real" | "all";
};

/** An intervention that fits the model. */
export interface HeadEdit {
  readonly stack: AttentionStack;
  readonly layer: number;
  readonly head: number;
  readonly mode: "zero" | "mean";
  readonly positions: "real" | "all";
}

/** Where the head's output has its address. */
export function outputOf({ stack, layer }: Pick<HeadEdit, "stack" | "layer">): Address {
  return `${stack.path(layer)}.z`;
}

function within(place: string, name: string, index: unknown, count: number): void {
  if (Number.isInteger(index) && (index as number) >= 0 && (index as number) < count) return;
  throw new OptionError(`${place}: ${name} must be a whole number in 0 … ${count - 1}, got ${String(index)}`);
}

/** The stacks and layers that an intervention names. */
function placesOf(
  place: string,
  intervention: Partial<Record<"at" | "stack" | "layer", unknown>>,
  blueprint: Blueprint,
): readonly Pick<HeadEdit, "stack" | "layer">[] {
  const { at, stack: name, layer } = intervention;
  if (layer === undefined && name === undefined) {
    const known = partsOf(blueprint, "z");
    return resolveAddresses(place, at, [...known.keys()]).map((address) => known.get(address)!);
  }
  if (at !== undefined) throw new OptionError(`${place}: expected either an address or a layer, got both`);
  const stacks = stacksOf(blueprint);
  const names = stacks.map((stack) => stack.name);
  if (name === undefined && stacks.length > 1) {
    throw new OptionError(`${place}: this model has several stacks; expected stack: one of ${names.join(", ")}`);
  }
  const stack = stacks.find((candidate) => candidate.name === (name ?? ""));
  if (!stack) {
    const hint = stacks.length > 1 ? knownNames(String(name), names) : "; this model has one stack: leave it out";
    throw new OptionError(`${place}: unknown stack "${String(name)}"${hint}`);
  }
  within(place, "layer", layer, stack.layers);
  return [{ stack, layer: layer as number }];
}

/**
 * Interventions checked against a model.
 *
 * Throws   OptionError on an unknown address, stack, layer, head, mode or option
 */
export function headEdits(interventions: readonly Intervention[], blueprint: Blueprint): readonly HeadEdit[] {
  return interventions.flatMap((intervention, i) => {
    const place = `interventions[${i}]`;
    checkOptions(place, intervention, ["at", "stack", "layer", "head", "mode", "positions"]);
    const { head, mode, positions = "real" } = intervention;
    if (!["zero", "mean"].includes(mode))
      throw new OptionError(`${place}: mode must be "zero" or "mean", got "${mode}"`);
    if (!["real", "all"].includes(positions)) {
      throw new OptionError(`${place}: positions must be "real" or "all", got "${positions}"`);
    }
    return placesOf(place, intervention, blueprint).map(({ stack, layer }) => {
      within(place, "head", head, stack.heads);
      return { stack, layer, head, mode, positions };
    });
  });
}

const inputNames = ({ name }: AttentionStack): readonly [gates: string, fill: string] => {
  const prefix = name === "" ? "" : `${name}_`;
  return [`${prefix}head_gates`, `${prefix}head_fill`];
};

/**
 * Lets two graph inputs per stack decide about every head: one graph serves every ablation.
 *
 *   z′ = gate · z + (1 − gate) · fill
 *
 * Shapes   head_gates [batch, layer, head] · head_fill [layer, head, headDim]
 * Range    with every gate at 1, z′ equals z exactly
 */
export function gateHeads(blueprint: Blueprint): Edit {
  const outputs = partsOf(blueprint, "z");
  const inputs = new Map(
    stacksOf(blueprint).map((stack) => {
      const [gates, fill] = inputNames(stack);
      const { layers, heads, headDim } = stack;
      return [
        stack.name,
        [
          input(gates, "float32", [batchAxis(stack.queries), layers, heads]),
          input(fill, "float32", [layers, heads, headDim]),
        ],
      ] as const;
    }),
  );
  return (address: Address, value: Value): Value => {
    const found = outputs.get(address);
    if (!found) return value;
    const { layer, stack } = found;
    const [gates, fills] = inputs.get(stack.name)!;
    const own = (x: Value, axis: number): Value => build.squeeze(build.slice(x, axis, layer, layer + 1), [axis]);
    const gate = build.unsqueeze(own(gates, 1), [2, 3]); // [B,H,1,1]
    const fill = build.unsqueeze(own(fills, 0), [0, 2]); // [1,H,1,D]
    return build.add(build.mul(value, gate), build.mul(fill, build.sub(1, gate)));
  };
}

/** A head's mean output over a batch, [headDim]. */
function meanOutput(z: Tensor, { stack, head, positions }: HeadEdit, batch: Batch): Float32Array {
  const { size, length, attentionMask } = sequenceOf(batch, stack.queries);
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
  blueprint: Blueprint,
  batch: Batch,
  clean: (address: Address) => Tensor,
): Readonly<Record<string, Tensor>> {
  const feeds = stacksOf(blueprint).flatMap((stack) => {
    const { layers, heads, headDim, queries } = stack;
    const { size } = sequenceOf(batch, queries);
    const gates = new Float32Array(size * layers * heads).fill(1);
    const fills = new Float32Array(layers * heads * headDim);
    for (const edit of edits.filter((candidate) => candidate.stack.name === stack.name)) {
      const at = edit.layer * heads + edit.head;
      for (let b = 0; b < size; b++) gates[b * layers * heads + at] = 0;
      if (edit.mode === "mean") fills.set(meanOutput(clean(outputOf(edit)), edit, batch), at * headDim);
    }
    const [gateName, fillName] = inputNames(stack);
    return [
      [gateName, new Tensor("float32", [size, layers, heads], gates)],
      [fillName, new Tensor("float32", [layers, heads, headDim], fills)],
    ] as const;
  });
  return Object.fromEntries(feeds);
}
