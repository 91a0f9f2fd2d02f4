import type { SymbolicShape, Value } from "../graph/index.js";
import type { DType, Tensor } from "../tensor/index.js";
import type { JsonObject } from "./json.js";
import type { AttentionStack, Sequence } from "./attentionStack.js";
import type { Patches, PatchGrid } from "./patchGrid.js";

/** A weight that a model needs. */
export interface TensorSpec {
  readonly name: string;
  readonly shape: readonly number[];
  /** The model changes its outputs, not its validity, where an optional weight is absent. */
  readonly optional?: boolean;
}

/** Token ids of a batch, padded to one length. */
export interface Batch {
  readonly size: number;
  /** Positions per prompt, padding included. */
  readonly length: number;
  /** [batch, query] row-major. */
  readonly inputIds: Int32Array;
  /** [batch, query]: 1 real, 0 padding. */
  readonly attentionMask: Int32Array;
  /** [batch, query] */
  readonly tokenTypeIds: Int32Array;
  /** [batch, query]; undefined where the model is to count by itself. */
  readonly positionIds?: Int32Array | undefined;
  /** What the decoder of an encoder–decoder model reads. */
  readonly decoder?: DecoderBatch;
  /** What the encoder reads in place of tokens; `inputIds` then only count its positions. */
  readonly features?: Tensor;
  /** Pictures, cut up. */
  readonly patches?: Patches;
}

/** The decoder's tokens, padded to one length. */
export interface DecoderBatch extends Pick<Batch, "length" | "inputIds" | "attentionMask"> {
  /** [batch, target]: the token that each position is to predict, −1 for none. */
  readonly labels: Int32Array;
}

/** A graph input other than a row of whole numbers per prompt. */
export interface InputSpec {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: SymbolicShape;
}

/** What a model's graph is written against. */
export interface GraphContext {
  readonly weight: (name: string) => Value;
  /** Whether the checkpoint holds an optional weight. */
  readonly has: (name: string) => boolean;
  readonly input: (name: string) => Value;
  /** Gives a value its address; returns the value to go on with, which an intervention may have changed. */
  readonly tap: (address: string, value: Value) => Value;
  /** Where a text is continued: the keys and values of its earlier positions. */
  readonly past?: Past | undefined;
}

/** Earlier positions of a text, as a graph reads them. */
export interface Past {
  /** Keys and values of a layer, [B,G,K,D], the earlier ones before the new ones. */
  readonly join: (layer: number, keys: Value, values: Value) => readonly [Value, Value];
  /** The last new position of each row: [B,Q,M] → [B,1,M] */
  readonly last: (x: Value) => Value;
}

/** A model of known sizes: everything a family knows about one config. */
export interface Blueprint {
  readonly family: string;
  readonly architecture: string;
  readonly layers: number;
  readonly heads: number;
  /** Heads of keys and values, where fewer than those of queries. */
  readonly kvHeads?: number;
  /** Heads of values, where not as many as those of keys. */
  readonly valueHeads?: number;
  readonly headDim: number;
  readonly width: number;
  readonly vocabulary: number;
  /** Longest prompt, in tokens. */
  readonly positions: number;
  readonly tokenTypes: number;
  /** Whether keys after the query are masked; of an encoder–decoder model, in its encoder. */
  readonly causal: boolean;
  /** Whether weights of its patterns may be negative: no when left out. */
  readonly signed?: boolean;
  readonly padId: number;
  /** Tokens after which a text is finished. */
  readonly endIds?: readonly number[];
  /** Keys of texts of two lengths with the same regime are alike; of all lengths when left out. */
  readonly regime?: ((length: number) => string) | undefined;
  /** Every prompt is padded to this many tokens where the graph knows one length only. */
  readonly fixedLength?: number;
  /** Whether a text can be continued from the keys and values of its earlier positions: yes when left out. */
  readonly continues?: boolean;
  /** What `describe` adds: what was found in a file, and what was not. */
  readonly notes?: readonly string[];
  readonly tensors: readonly TensorSpec[];
  /** The name, without `.weight`, under which the graph looks for an unembedding first, before it takes the embedding table. */
  readonly unembedding?: string | undefined;
  /** The name under which a checkpoint's tensor is known here; undefined where it is knowingly ignored. */
  readonly canonicalName: (name: string) => string | undefined;
  /** Kinds of attention, where there is more than one. */
  readonly stacks?: readonly AttentionStack[];
  /** What an encoder–decoder model has besides; `positions` are those of its encoder. */
  readonly decoder?: DecoderSide;
  /** What a model that sees reads of pictures. */
  readonly pictures?: PictureSide;
  /** Graph inputs; those given by name only are [batch, query] int32. */
  readonly inputs: readonly (string | InputSpec)[];
  readonly feeds: (batch: Batch) => Readonly<Record<string, Tensor>>;
  /** Writes the graph; returns its outputs by name. */
  readonly build: (context: GraphContext) => Readonly<Record<string, Value>>;
}

/** How the decoder of an encoder–decoder model starts, and how it runs by itself. */
export interface DecoderSide {
  /** The token before the first one; undefined where the config names none. */
  readonly startId: number | undefined;
  /** Whether a text is started by its own last token instead, the name of its language. */
  readonly startsWithLast: boolean;
  /** Longest text, in tokens. */
  readonly positions: number;
  /** What the encoder reads in place of tokens, [batch, bins, frames]. */
  readonly features?: { readonly bins: number; readonly frames: number };
  /** The decoder alone; left out where it runs with its encoder only. */
  readonly alone?: {
    /** The encoder's hidden states among them. */
    readonly inputs: readonly InputSpec[];
    readonly build: Blueprint["build"];
  };
}

/** What a model reads of pictures. */
export interface PictureSide {
  readonly grid: PatchGrid;
  /** Where the patches are tokens: of the prompt itself, or of a tower of its own beside a text. */
  readonly sequence: Extract<Sequence, "prompt" | "pictures">;
  /** The token in whose places features of a picture are put, and how many of them a picture has. */
  readonly imageToken?: { readonly id: number; readonly perPicture: number };
  /** Whether texts are filled up with padding, which is seen, to all positions. */
  readonly fillsTexts?: boolean;
}

/** Rules of one model family: the architectures it loads and how it reads their configs. */
export interface Family {
  readonly name: string;
  readonly architectures: readonly string[];
  /** Throws UnsupportedError or FormatError on a config that it cannot follow exactly. */
  readonly open: (architecture: string, config: JsonObject) => Blueprint;
}
