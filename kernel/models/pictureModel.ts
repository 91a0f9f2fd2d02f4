import type { Value } from "../graph/index.js";
import { build } from "../graph/index.js";
import type { Blueprint, GraphContext, TensorSpec } from "./family.js";
import type { JsonObject } from "./json.js";
import { layerNorm, linear } from "./layers.js";
import type { PatchGrid } from "./patchGrid.js";
import type { PatchNames } from "./patches.js";
import { embedPatches, patchInputs, patchSpecs } from "./patches.js";
import { trainedPositions } from "./patchGrid.js";
import type { EncoderSizes } from "./postNormEncoder.js";
import { linearSpecs, normSpecs } from "./postNormEncoder.js";
import type { PreNormTraits } from "./preNormEncoder.js";
import { preNormEncoder } from "./preNormEncoder.js";

/** What a family says about one model that reads pictures only. */
export interface PictureModel {
  readonly family: string;
  readonly architecture: string;
  /** Prefix that checkpoints with a head put before all other names; left out by some. */
  readonly prefix: RegExp;
  readonly grid: PatchGrid;
  readonly sizes: EncoderSizes;
  readonly patches: PatchNames;
  /** Weights of the blocks. */
  readonly blocks: readonly TensorSpec[];
  readonly traits: (context: GraphContext) => PreNormTraits;
  /** Weights of what comes after the last norm, and its outputs. */
  readonly head: {
    readonly tensors: readonly TensorSpec[];
    readonly outputs: (context: GraphContext, hidden: Value) => Readonly<Record<string, Value>>;
  };
  /** Weights that only the training reads. */
  readonly spare: RegExp;
}

/** Classes that a classifier tells apart, as transformers counts them. */
export function classCount(json: JsonObject): number {
  const { id2label: names, num_labels: count } = json;
  if (typeof names === "object" && names !== null && !Array.isArray(names)) return Object.keys(names).length;
  return typeof count === "number" && Number.isSafeInteger(count) && count > 0 ? count : 2;
}

/** The weights of a classifier of so many classes. */
export function classifierSpecs(classes: number, inputs: number): readonly TensorSpec[] {
  return linearSpecs("classifier", classes, inputs);
}

/** Shapes   hidden [B,T,M] → [B,M], the class token */
export function firstToken(hidden: Value): Value {
  return build.squeeze(build.slice(hidden, 1, 0, 1), [1]);
}

/** Logits of a classifier from one vector per picture, [B,classes]. */
export function classified(context: GraphContext, x: Value): Value {
  return linear(context, "classifier", x);
}

/** The blueprint of an encoder of pictures: patches, pre-norm blocks, a last norm and a head. */
export function pictureBlueprint(model: PictureModel): Blueprint {
  const { family, architecture, grid, sizes, patches, head } = model;
  const { layers, heads, width, epsilon } = sizes;
  return {
    ...{ family, architecture, layers, heads, width },
    headDim: width / heads,
    vocabulary: 0,
    positions: trainedPositions(grid),
    tokenTypes: 1,
    causal: false,
    padId: 0,
    tensors: [...patchSpecs(grid, patches, width), ...model.blocks, ...normSpecs("layernorm", width), ...head.tensors],
    canonicalName: (name) => {
      const current = name.replace(model.prefix, "");
      return model.spare.test(current) ? undefined : current;
    },
    pictures: { grid, sequence: "prompt" },
    inputs: patchInputs(grid, "batch"),
    feeds: ({ patches: cut }) => cut!.feeds,
    build: (context) => {
      const embedded = embedPatches(context, patches, width);
      const stream = preNormEncoder(context, sizes, embedded, model.traits(context));
      const final = context.tap("ln_final", layerNorm(context, "layernorm", stream, epsilon));
      return head.outputs(context, final);
    },
  };
}
