import { ShapeError, showWith } from "../tensor/index.js";
import type { Tensor } from "../tensor/index.js";
import type { Batch, Blueprint } from "./family.js";

/** One token as it was chosen. */
export interface GeneratedToken {
  readonly prompt: number;
  /** 0 is the first new token. */
  readonly step: number;
  readonly id: number;
  /** As a reader should see it. */
  readonly label: string;
}

/** What a model wrote. Shows itself as text. */
export class Generation {
  /** New token ids per prompt; a text that ended has its end token last. */
  readonly ids: readonly (readonly number[])[];
  /** Their labels. */
  readonly tokens: readonly (readonly string[])[];
  /** The new text per prompt; undefined without a tokenizer. */
  readonly texts: readonly (string | undefined)[];
  /** What each new token was chosen from: per prompt [token, vocab]. */
  readonly logits: readonly Tensor[];

  constructor(parts: Pick<Generation, "ids" | "tokens" | "texts" | "logits">) {
    this.ids = parts.ids;
    this.tokens = parts.tokens;
    this.texts = parts.texts;
    this.logits = parts.logits;
  }
}

showWith(Generation.prototype, ({ texts, tokens }) => ({
  "text/plain": texts.map((text, i) => `${i}: ${text ?? tokens[i].join(" ")}`).join("\n"),
}));

/** The token ids of each prompt without its padding. */
export function realIds({ size, length, inputIds, attentionMask }: Batch): number[][] {
  return Array.from({ length: size }, (_, b) =>
    Array.from(inputIds.subarray(b * length, (b + 1) * length)).filter((_, t) => attentionMask[b * length + t] === 1),
  );
}

/** Rows of different lengths as a batch with its padding on the right, where no real token sees it. */
export function rightPadded(rows: readonly (readonly number[])[], padId: number): Batch {
  const length = Math.max(...rows.map((row) => row.length));
  const flat = (of: (row: readonly number[], t: number) => number): Int32Array =>
    Int32Array.from(rows.flatMap((row) => Array.from({ length }, (_, t) => of(row, t))));
  return {
    size: rows.length,
    length,
    inputIds: flat((row, t) => row[t] ?? padId),
    attentionMask: flat((row, t) => (t < row.length ? 1 : 0)),
    tokenTypeIds: flat(() => 0),
  };
}

/** Throws ShapeError where a prompt and its new tokens need more positions than the model has. */
export function checkRoom(rows: readonly (readonly number[])[], newTokens: number, blueprint: Blueprint): void {
  const { positions, architecture } = blueprint;
  rows.forEach((row, b) => {
    if (row.length === 0) throw new ShapeError(`generate: prompt ${b} has no tokens besides padding`);
    const needed = row.length + newTokens - 1;
    if (needed > positions) {
      throw new ShapeError(
        `generate: prompt ${b} needs ${needed} positions for ${row.length} tokens and ${newTokens} new ones, but ${architecture} has ${positions}`,
      );
    }
  });
}
