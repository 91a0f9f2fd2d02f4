import type { Heading } from "./heading.js";

/** MIME type of two heads side by side; the major version is part of the name. */
export const headPairMime = "application/vnd.attention-lab.head-pair.v1+json";

/** Version of the payload that this build writes: readers accept every 1.x. */
export const headPairVersion = "1.0";

/** A weight in which two heads differ. */
export interface WeightDifference {
  readonly query: number;
  readonly key: number;
  readonly a: number;
  readonly b: number;
}

/** Two heads on as many tokens: their weights, and A − B. Plain JSON. */
export interface HeadPairPayload extends Heading<"head-pair"> {
  /** What A and B are. */
  readonly names: readonly string[];
  /** True where keys after the query are masked. */
  readonly causal: boolean;
  readonly queryTokens: readonly string[];
  readonly keyTokens: readonly string[];
  /** The tokens of B, where they are others at the same places. */
  readonly otherQueryTokens?: readonly string[];
  readonly otherKeyTokens?: readonly string[];
  /** 1: every weight is stored; n: the largest weight, and the difference farthest from 0, of each n × n square. */
  readonly block: number;
  /** [3, rows, columns]: A, B, A − B; float16, base64. */
  readonly data: string;
  /** ½ Σ_k |A − B| of each query, 0…1 where rows sum to 1. */
  readonly totalVariation: readonly number[];
  /** Mean over the queries of the Jensen–Shannon divergence, nats, 0…ln 2. */
  readonly jensenShannonNats: number;
  /** Where they differ most, largest first. */
  readonly largest: readonly WeightDifference[];
  readonly notes: readonly string[];
}

/** Upper limits of everything in a payload; a reader refuses more. */
export const headPairCaps: {
  readonly tokens: number;
  readonly tokenLength: number;
  readonly nameLength: number;
  readonly largest: number;
  readonly cells: number;
} = { tokens: 65_536, tokenLength: 128, nameLength: 256, largest: 16, cells: 1_000_000 };
