import type { DType } from "../tensor/index.js";
import type { Dim, SymbolicShape } from "./dims.js";
import { linearise } from "./order.js";
import type { Loop, Value } from "./value.js";

/** The operator of a loop's results. */
const loopOp = "Scan";

/** A leaf of a loop's body: the state, or one slice of a sequence. */
export function slot(label: string, dtype: DType, shape: SymbolicShape): Value {
  return Object.freeze<Value>({ op: "", inputs: [], attributes: {}, shape, dtype, source: { kind: "slot" }, label });
}

/** A loop and what it starts from. */
export interface LoopParts {
  readonly times: Dim;
  /** From the last slices to the first. */
  readonly reverse: boolean;
  readonly initial: readonly Value[];
  readonly sequences: readonly Value[];
  readonly state: readonly Value[];
  readonly slices: readonly Value[];
  readonly next: readonly Value[];
  readonly collect: readonly Value[];
  /** What every turn computes for itself though it comes out the same: what would lie there beside what it is made of. */
  readonly ownInTurns?: (value: Value) => boolean;
}

/** Every leaf of a loop's body, in the order of the operands of its results. */
export function leavesOf({ state, slices, captured }: Loop): readonly Value[] {
  return [...state, ...slices, ...captured];
}

/**
 * One result of a loop: the last of each state, then what each turn collects, then the state before each turn; only
 * those that are read are computed.
 */
export function loopResult(loop: Loop, inputs: readonly Value[], result: number): Value {
  const last = result < loop.next.length;
  const { shape, dtype } = last ? loop.next[result] : loop.collect[result - loop.next.length];
  return Object.freeze<Value>({
    op: loopOp,
    inputs,
    attributes: { result },
    shape: last ? shape : [loop.times, ...shape],
    dtype,
    loop,
  });
}

/** The loop of these parts with its operands; what the body reads from outside is found here, and is computed once. */
export function loopOf(parts: LoopParts): { readonly loop: Loop; readonly inputs: readonly Value[] } {
  const { times, reverse, initial, sequences, state, next, ownInTurns = () => false } = parts;
  const results = [...next, ...parts.collect];
  const order = linearise(results);
  const inside = new Set<Value>([...state, ...parts.slices]);
  for (const value of order) if (value.inputs.some((x) => inside.has(x)) || ownInTurns(value)) inside.add(value);
  const read = new Set([...results, ...order.filter((value) => inside.has(value)).flatMap(({ inputs }) => inputs)]);
  const captured = [...read].filter((value) => !inside.has(value));
  // A sequence that no turn reads is dropped, but for one that counts the turns.
  const used = parts.slices.map((slice) => read.has(slice));
  if (used.length > 0 && !used.includes(true)) used[0] = true;
  const slices = parts.slices.filter((_, i) => used[i]);
  const collect = [...parts.collect, ...state];
  return {
    loop: Object.freeze<Loop>({ times, reverse, state, slices, captured, next, collect }),
    inputs: Object.freeze([...initial, ...sequences.filter((_, i) => used[i]), ...captured]),
  };
}

/** The results of one loop among others, each with all of its siblings in the order given. */
export function loopGroups(values: readonly Value[]): ReadonlyMap<Value, readonly Value[]> {
  const groups = new Map<Loop, Value[][]>();
  const found = new Map<Value, readonly Value[]>();
  for (const value of values) {
    if (!value.loop) continue;
    const known = groups.get(value.loop) ?? [];
    groups.set(value.loop, known);
    let group = known.find(([first]) => first.inputs.every((x, i) => x === value.inputs[i]));
    if (!group) known.push((group = []));
    group.push(value);
    found.set(value, group);
  }
  return found;
}
