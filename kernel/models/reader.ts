import { Tensor } from "../tensor/index.js";
import type { Address } from "./addresses.js";
import type { Blueprint } from "./family.js";
import { rightPadded } from "./prompts.js";

/** A text while it is written. */
export interface Text {
  readonly prompt: number;
  readonly ids: readonly number[];
}

/** What a model says of a text's next token. */
export interface Reading {
  readonly logits: Float32Array;
  /** Attention at the last token, [layer, head, key]; undefined unless it was asked for. */
  readonly pattern: Tensor | undefined;
}

/** Reads the open texts at each step, every one a token longer than the step before. */
export type Reader = (texts: readonly Text[]) => Promise<readonly Reading[]>;

/** One pass of a model. */
export type Pass = (
  feeds: Readonly<Record<string, Tensor>>,
  wanted: readonly Address[],
) => Promise<Readonly<Record<Address, Tensor>>>;

export function patternNames({ layers }: Blueprint): readonly Address[] {
  return Array.from({ length: layers }, (_, layer) => `blocks.${layer}.attn.pattern`);
}

/**
 * One query's attention in every layer and head.
 *
 * Shapes   patterns [B,H,Q,K] each → [layer, head, key], keys in the order of `columns`
 */
export function patternAt(
  patterns: readonly Tensor[],
  row: number,
  query: number,
  columns: readonly number[],
): Tensor<"float32"> {
  const [, heads, queries, keys] = patterns[0].shape as [number, number, number, number];
  const data = new Float32Array(patterns.length * heads * columns.length);
  let at = 0;
  for (const pattern of patterns) {
    for (let head = 0; head < heads; head++) {
      const start = ((row * heads + head) * queries + query) * keys;
      for (const column of columns) data[at++] = pattern.data[start + column] as number;
    }
  }
  return new Tensor("float32", [patterns.length, heads, columns.length], data);
}

/** Reads every text from its beginning at each step. */
export function rereader(blueprint: Blueprint, pass: Pass, withPatterns: boolean): Reader {
  const names = withPatterns ? patternNames(blueprint) : [];
  return async (texts) => {
    const feeds = blueprint.feeds(
      rightPadded(
        texts.map(({ ids }) => ids),
        blueprint.padId,
      ),
    );
    const results = await pass(feeds, ["logits", ...names]);
    return texts.map(({ ids }, row) => {
      const last = ids.length - 1;
      const patterns = names.map((name) => results[name]);
      return {
        logits: results["logits"].slice(row, last).data.slice() as Float32Array,
        pattern: withPatterns ? patternAt(patterns, row, last, [...ids.keys()]) : undefined,
      };
    });
  };
}
