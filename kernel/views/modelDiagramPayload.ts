import type { Heading } from "./heading.js";

/** MIME type of a model's diagram; the major version is part of the name. */
export const modelDiagramMime = "application/vnd.attention-lab.model-diagram.v1+json";

/** Version of the payload that this build writes: readers accept every 1.x. */
export const modelDiagramVersion = "1.0";

/** One activation, or that of every layer. */
export interface DiagramActivation {
  /** `*` stands for every layer: `blocks.*.attn.q`. */
  readonly address: string;
  /** `attn`, `cross_attn`, `mlp`; empty for what is the block's or the model's own. */
  readonly part: string;
  /** What is left of the address: `q`. */
  readonly name: string;
  readonly shape: readonly (number | string)[];
  /** The layers that have it, where not all do. */
  readonly only?: readonly number[];
}

/** Activations in the order in which they are computed, of layers that are alike, or outside of layers. */
export interface DiagramLevel {
  /** `blocks`, `encoder.blocks`; empty outside of layers. */
  readonly path: string;
  /** How many layers there are; 0 outside of layers. */
  readonly layers: number;
  readonly activations: readonly DiagramActivation[];
}

/** What a model is made of: every address with its shape. Plain JSON. */
export interface ModelDiagramPayload extends Heading<"model-diagram"> {
  /** Layers, heads and widths in words, a line for each kind of attention. */
  readonly sizes: readonly string[];
  readonly levels: readonly DiagramLevel[];
  readonly notes: readonly string[];
}

/** Upper limits of everything in a payload; a reader refuses more. */
export const modelDiagramCaps: {
  readonly levels: number;
  readonly layers: number;
  readonly activations: number;
  readonly nameLength: number;
  readonly axes: number;
} = { levels: 64, layers: 1_024, activations: 1_024, nameLength: 256, axes: 8 };
