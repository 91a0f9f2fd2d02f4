import { OptionError, Tensor } from "../tensor/index.js";
import type { Address } from "./addresses.js";
import type { AttentionStack, Sequence } from "./attentionStack.js";

/** One head for one prompt; what is left out is 0, and the only stack of a model that has one. */
export interface HeadPlaceInRun {
  /** `"encoder"`, `"decoder"`, `"cross"`, `"text"` … where a model has several kinds of attention. */
  readonly stack?: string;
  readonly layer: number;
  readonly head: number;
  readonly prompt?: number;
}

/**
 * One head's weights for one prompt, these queries and keys only.
 *
 * Shapes   whole [Q,K] → [queries,keys]
 */
export function patternAt(whole: Tensor, queries: readonly number[], keys: readonly number[]): Float32Array {
  const out = new Float32Array(queries.length * keys.length);
  const all = whole.shape[1];
  const { data } = whole;
  let at = 0;
  for (const query of queries) for (const key of keys) out[at++] = data[query * all + key] as number;
  return out;
}

/** What `headPattern` reads of a run. */
export interface RunPatterns {
  readonly stacks: readonly AttentionStack[];
  readonly at: (address: Address) => Tensor;
  readonly realPositions: (prompt: number, sequence: Sequence) => readonly number[];
}

/** See `Run.headPattern`. */
export function headPattern(run: RunPatterns, place: HeadPlaceInRun): Tensor<"float32"> {
  const { layer, head, prompt = 0 } = place;
  const stack = stackNamed("headPattern", run.stacks, place.stack);
  within("headPattern", "layer", layer, stack.layers);
  within("headPattern", "head", head, stack.heads);
  const whole = run.at(`${stack.path(layer)}.pattern`);
  within("headPattern", "prompt", prompt, whole.shape[0]);
  const queries = run.realPositions(prompt, stack.queries);
  const keys = run.realPositions(prompt, stack.keys);
  const own = whole.slice(prompt, head);
  // Without padding the pattern is taken as it lies: copying 2048 × 2048 weights takes longer than a reader should wait.
  const isWhole = queries.length === whole.shape[2] && keys.length === whole.shape[3];
  if (isWhole && own.data instanceof Float32Array) return own as Tensor<"float32">;
  return new Tensor("float32", [queries.length, keys.length], patternAt(own, queries, keys));
}

/** The stack of that name; throws OptionError where there is none, or where one of several must be named. */
export function stackNamed(place: string, stacks: readonly AttentionStack[], name: string | undefined): AttentionStack {
  const found = name === undefined && stacks.length === 1 ? stacks[0] : stacks.find((stack) => stack.name === name);
  if (found) return found;
  const known = stacks.map((stack) => `"${stack.name}"`).join(", ");
  throw new OptionError(`${place}: expected stack: one of ${known}, got ${name === undefined ? "none" : `"${name}"`}`);
}

/** Throws OptionError unless the index is a whole number below the count. */
export function within(place: string, name: string, index: number, count: number): void {
  if (Number.isInteger(index) && index >= 0 && index < count) return;
  throw new OptionError(`${place}: ${name} must be a whole number in 0 … ${count - 1}, got ${String(index)}`);
}
