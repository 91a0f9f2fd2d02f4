import type { CancelSignal } from "../graph/index.js";
import type { Run } from "../models/index.js";
import { OptionError } from "../tensor/index.js";

/** What a figure says with its question. */
export type Asked = Readonly<Record<string, unknown>>;

/** An answer: JSON, and perhaps bytes. */
export interface LiveAnswer {
  readonly data: Readonly<Record<string, unknown>>;
  readonly buffers?: readonly Uint8Array[];
}

export interface LiveSettings {
  readonly signal: CancelSignal;
  /** Says how far the work is; resolves when other messages have had their turn. */
  readonly progress: (done: number, total: number) => Promise<void>;
}

/** Something that a figure may ask about the run it shows. */
export type Question = (run: Run, asked: Asked) => LiveAnswer;

/** Something that takes time and may be given up. */
export type Experiment = (run: Run, asked: Asked, settings: LiveSettings) => Promise<LiveAnswer>;

/** A whole number of a question in 0 … limit−1; throws OptionError on anything else. */
export function index(asked: Asked, name: string, limit: number): number {
  const value = asked[name];
  if (typeof value === "number" && Number.isInteger(value) && value >= 0 && value < limit) return value;
  throw new OptionError(`live link: ${name} must be a whole number in 0 … ${limit - 1}, got ${String(value)}`);
}

/** A text of a question; throws OptionError on anything else. */
export function text(asked: Asked, name: string): string {
  const value = asked[name];
  if (typeof value === "string") return value;
  throw new OptionError(`live link: ${name} must be a text, got ${String(value)}`);
}

/** The head that a question is about. */
export function headAsked(run: Run, asked: Asked): { stack: string; layer: number; head: number; prompt: number } {
  const big = Number.MAX_SAFE_INTEGER;
  return {
    stack: text(asked, "stack"),
    layer: index(asked, "layer", big),
    head: index(asked, "head", big),
    prompt: index(asked, "sample", big),
  };
}
