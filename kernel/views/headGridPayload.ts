import type { HeadEffect } from "./headEffect.js";
import type { HeadScalars } from "./headScalars.js";
import type { StoredPatterns } from "./patternStore.js";

/** MIME type of the head grid; the major version is part of the name. */
export const headGridMime = "application/vnd.attention-lab.head-grid.v1+json";

/** Version of the payload that this build writes: readers accept every 1.x. */
export const headGridVersion = "1.1";

/** One input of the model: its tokens, every head's pattern, and numbers per head. */
export interface HeadGridSample {
  readonly text?: string;
  readonly queryTokens: readonly string[];
  readonly keyTokens: readonly string[];
  readonly specialKeys: readonly number[];
  /** Where keys are patches of a picture: how they lie. They are the last rows · columns keys, row by row. */
  readonly patchGrid?: { readonly rows: number; readonly columns: number };
  readonly scalars: HeadScalars;
  readonly patterns: StoredPatterns;
}

/** What the head grid draws: the attention patterns of all heads of a model on one or more inputs. Plain JSON. */
export interface HeadGridPayload {
  readonly view: "head-grid";
  readonly version: string;
  readonly title: string;
  readonly layers: number;
  readonly heads: number;
  /** True where keys after the query are masked: those squares are drawn empty, not as zero. */
  readonly causal: boolean;
  readonly samples: readonly HeadGridSample[];
  readonly provenance: Readonly<Record<string, string | number>>;
  /** Where the kernel that drew it finds the run again, and which of its kinds of attention this is. */
  readonly live?: LiveName;
  /** What taking heads out changed, as it was asked for from the figure. */
  readonly effects?: readonly HeadEffect[];
}

/** The name of a run that a kernel holds, and of one of its kinds of attention; empty in a model that has one kind. */
export interface LiveName {
  readonly run: string;
  readonly stack: string;
}

/** Upper limits of everything in a payload; a reader refuses more. */
export const headGridCaps: {
  readonly layers: number;
  readonly heads: number;
  readonly headCount: number;
  readonly samples: number;
  readonly tokens: number;
  readonly tokenLength: number;
  readonly textLength: number;
  readonly titleLength: number;
  readonly nameLength: number;
  readonly provenanceEntries: number;
  readonly dataLength: number;
} = {
  layers: 512,
  heads: 512,
  headCount: 16_384,
  samples: 256,
  tokens: 65_536,
  tokenLength: 128,
  textLength: 4_096,
  titleLength: 512,
  nameLength: 64,
  provenanceEntries: 64,
  dataLength: 64 << 20,
};
