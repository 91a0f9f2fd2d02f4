import type { Heading } from "./heading.js";

/** MIME type of an ablation table; the major version is part of the name. */
export const ablationTableMime = "application/vnd.attention-lab.ablation-table.v1+json";

/** Version of the payload that this build writes: readers accept every 1.x. */
export const ablationTableVersion = "1.0";

/** The numbers of a row that may be missing, in the order in which they are shown. */
export const ablationMeasures = ["effect", "low", "high", "p", "q", "nullShare"] as const;

/** One of `ablationMeasures`. */
export type AblationMeasure = (typeof ablationMeasures)[number];

/** Columns of the table: the n-th entry of each belongs to row n. */
export interface AblationColumns extends Readonly<Record<AblationMeasure, readonly (number | null)[]>> {
  readonly layer: readonly number[];
  readonly head: readonly number[];
  /** Place in `modes`. */
  readonly mode: readonly number[];
  /** The effect on each prompt; left out where there are too many numbers. */
  readonly perPrompt?: readonly (readonly (number | null)[])[];
}

/** What taking out each head does to a metric. Plain JSON. */
export interface AblationTablePayload extends Heading<"ablation-table"> {
  readonly metric: string;
  /** The metric of each prompt as it is. */
  readonly clean: readonly (number | null)[];
  /** How heads were taken out: "zero", "mean", … */
  readonly modes: readonly string[];
  readonly columns: AblationColumns;
  readonly notes: readonly string[];
}

/** Upper limits of everything in a payload; a reader refuses more. */
export const ablationTableCaps: {
  readonly rows: number;
  readonly modes: number;
  readonly prompts: number;
  readonly layers: number;
  readonly heads: number;
  readonly headCount: number;
  readonly nameLength: number;
  /** Effects on single prompts, over all rows. */
  readonly perPrompt: number;
} = {
  rows: 65_536,
  modes: 32,
  prompts: 65_536,
  layers: 512,
  heads: 512,
  headCount: 16_384,
  nameLength: 128,
  perPrompt: 1 << 20,
};
