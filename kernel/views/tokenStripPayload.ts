import type { Heading } from "./heading.js";
import type { LiveName } from "./headGridPayload.js";

/** MIME type of a token strip; the major version is part of the name. */
export const tokenStripMime = "application/vnd.attention-lab.token-strip.v1+json";

/** Version of the payload that this build writes: readers accept every 1.x. */
export const tokenStripVersion = "1.0";

/** The largest weights of every query of one head, or of the mean over the heads of a layer. */
export interface StoredLines {
  /** "layer 5, head 1". */
  readonly caption: string;
  /** True where keys after the query are masked. */
  readonly causal: boolean;
  /** The tokens that look, where they are not those of the strip. */
  readonly queries?: readonly string[];
  /** Weights kept per query; all of them where it is the number of tokens. */
  readonly kept: number;
  /** Which keys they belong to, [Q,kept] in 16 bits, base64; absent where all are kept, in order. */
  readonly keys?: string;
  /** [Q,kept] float16, base64. */
  readonly weights: string;
  /** Sum of all weights of each query, kept or not. */
  readonly mass: readonly number[];
  /** The largest weight. */
  readonly largest: number;
}

/** Where a kernel finds the attention again, and what else there is to choose. */
export interface LiveLines extends LiveName {
  readonly layers: number;
  readonly heads: number;
  readonly layer: number;
  /** `null`: the mean over the heads of the layer. */
  readonly head: number | null;
  readonly sample: number;
}

/** A text with a number per token, and perhaps where each token looks. Plain JSON. */
export interface TokenStripPayload extends Heading<"token-strip"> {
  /** What a number is. */
  readonly measure: string;
  /** `"diverging"`: differences, about 0; `"sequential"`: amounts, from 0. */
  readonly kind: "diverging" | "sequential";
  readonly tokens: readonly string[];
  /** One per token; `null` where there is none. With `attention`: the mean weight that a token receives. */
  readonly values: readonly (number | null)[];
  readonly attention?: StoredLines;
  readonly live?: LiveLines;
  readonly notes: readonly string[];
}

/** Upper limits of everything in a payload; a reader refuses more. */
export const tokenStripCaps: {
  readonly tokens: number;
  readonly tokenLength: number;
  readonly measureLength: number;
  readonly kept: number;
} = { tokens: 32_768, tokenLength: 128, measureLength: 256, kept: 1_500_000 };
