import { showWith } from "../tensor/index.js";
import type { Tensor } from "../tensor/index.js";

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
  /** What each new token was chosen from, before any rule: per prompt [token, vocab]. */
  readonly logits: readonly Tensor[];
  /**
   * Per prompt and new token the attention of the position that it was chosen at, [layer, head, key] over the text so far;
   * empty unless `patterns` was asked for.
   */
  readonly patterns: readonly (readonly Tensor[])[];

  constructor(parts: Pick<Generation, "ids" | "tokens" | "texts" | "logits" | "patterns">) {
    this.ids = parts.ids;
    this.tokens = parts.tokens;
    this.texts = parts.texts;
    this.logits = parts.logits;
    this.patterns = parts.patterns;
  }
}

showWith(Generation.prototype, ({ texts, tokens }) => ({
  "text/plain": texts.map((text, i) => `${i}: ${text ?? tokens[i].join(" ")}`).join("\n"),
}));
