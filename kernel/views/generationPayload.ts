import type { Heading } from "./heading.js";
import type { HeadGridPayload } from "./headGridPayload.js";

/** MIME type of what a model wrote; the major version is part of the name. */
export const generationMime = "application/vnd.attention-lab.generation.v1+json";

/** Version of the payload that this build writes: readers accept every 1.x. */
export const generationVersion = "1.0";

/** A token that could have been chosen. */
export interface LikelyToken {
  readonly token: string;
  readonly chance: number;
}

/** One prompt and what was written after it. */
export interface WrittenText {
  readonly prompt: readonly string[];
  /** The new tokens. */
  readonly tokens: readonly string[];
  /** Of each new token: its probability, and the entropy of what it was chosen from, nats. */
  readonly chances: readonly number[];
  readonly entropyNats: readonly number[];
  /** Of each new token: the likeliest ones, first the likeliest. */
  readonly likely: readonly (readonly LikelyToken[])[];
}

/** What a model wrote, token by token. Plain JSON. */
export interface GenerationPayload extends Heading<"generation"> {
  readonly texts: readonly WrittenText[];
  /** The attention of each new token over the text before it, one sample per text: queries are the new tokens. */
  readonly grid?: HeadGridPayload;
  readonly notes: readonly string[];
}

/** Upper limits of everything in a payload; a reader refuses more. */
export const generationCaps: {
  readonly texts: number;
  readonly tokens: number;
  readonly tokenLength: number;
  readonly likely: number;
} = { texts: 256, tokens: 65_536, tokenLength: 128, likely: 16 };
