import { checkOptions, OptionError, wholeNumber } from "../tensor/index.js";

export interface NeedleOptions {
  /** The sentence to find. */
  readonly needle: string;
  /** What is asked after the text. */
  readonly question: string;
  /** Text to hide it in; split at the ends of sentences, and begun again where it is too short. */
  readonly haystack: string;
  /** Sentences of the haystack around the needle. */
  readonly sentences: number;
  /** Where the needle stands: 0 before all sentences, 1 after them; one prompt each. */
  readonly depths: readonly number[];
}

export interface NeedleTask {
  readonly prompts: readonly string[];
  /** By prompt: where the needle lies in it, in characters. */
  readonly spans: readonly (readonly [start: number, end: number])[];
}

/**
 * A sentence hidden in a longer text, at chosen depths.
 *
 *   prompt  A. B. The needle. C. D. <question>
 *
 * Throws   OptionError on depths outside of 0 … 1, and where the haystack contains the needle
 * Source   the test of arXiv:2404.15574 §2; texts are given by the caller
 */
export function needle(options: NeedleOptions): NeedleTask {
  checkOptions("needle", options, ["needle", "question", "haystack", "sentences", "depths"]);
  const { needle: hidden, question, haystack, sentences, depths } = options;
  const parts = haystack.split(/(?<=[.!?])\s+/).filter((part) => part.trim() !== "");
  if (parts.length === 0) throw new OptionError("needle: the haystack is empty");
  if (haystack.includes(hidden)) throw new OptionError("needle: the haystack contains the needle");
  wholeNumber("needle", "sentences", sentences);
  const wrong = depths.find((depth) => !(depth >= 0 && depth <= 1));
  if (wrong !== undefined) throw new OptionError(`needle: a depth is a number in 0 … 1, got ${String(wrong)}`);
  const around = Array.from({ length: sentences }, (_, i) => parts[i % parts.length]);
  const made = depths.map((depth) => {
    const before = around.slice(0, Math.round(depth * sentences));
    const start = before.reduce((sum, part) => sum + part.length + 1, 0);
    const text = [...before, hidden, ...around.slice(before.length), question].join(" ");
    return { text, span: [start, start + hidden.length] as const };
  });
  return { prompts: made.map(({ text }) => text), spans: made.map(({ span }) => span) };
}
