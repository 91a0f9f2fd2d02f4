import type { Address } from "./addresses.js";

/** The layers of one kind of attention. */
export interface AttentionStack {
  /** `"encoder"`, `"decoder"` or `"cross"`; empty in a model that has no other stack. */
  readonly name: string;
  readonly layers: number;
  readonly heads: number;
  readonly headDim: number;
  /** Whether keys after the query are masked. */
  readonly causal: boolean;
  /** Where the attention of a layer has its addresses: `decoder.blocks.1.cross_attn`. */
  readonly path: (layer: number) => Address;
  /** Whose tokens ask, and whose are attended to. */
  readonly queries: Sequence;
  readonly keys: Sequence;
}

/** Tokens that a model reads: the prompt, or what its decoder is given. */
export type Sequence = "prompt" | "decoder";
