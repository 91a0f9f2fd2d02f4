import type { Address } from "./addresses.js";

/** The layers of one kind of attention. */
export interface AttentionStack {
  /** `"encoder"`, `"decoder"`, `"cross"`, `"text"`, `"vision"` …; empty in a model that has no other stack. */
  readonly name: string;
  readonly layers: number;
  readonly heads: number;
  /** Heads of keys and values, where fewer than those of queries. */
  readonly kvHeads?: number;
  /** Heads of values, where not as many as those of keys. */
  readonly valueHeads?: number;
  readonly headDim: number;
  /** Whether keys after the query are masked. */
  readonly causal: boolean;
  /** Where the attention of a layer has its addresses: `decoder.blocks.1.cross_attn`. */
  readonly path: (layer: number) => Address;
  /** Whose tokens ask, and whose are attended to. */
  readonly queries: Sequence;
  readonly keys: Sequence;
}

/** Tokens that a model reads: the prompt, what its decoder is given, or the patches of pictures beside a text. */
export type Sequence = "prompt" | "decoder" | "pictures";
