import { formatShape, OptionError, checkOptions, ShapeError, Tensor } from "../tensor/index.js";
import { build } from "./build.js";
import type { Dim } from "./dims.js";
import { loopOf, loopResult, slot, type LoopParts } from "./loop.js";
import { constant } from "./ops/index.js";
import type { Value } from "./value.js";

type Values<K extends string> = Readonly<Record<K, Value>>;

/** What one turn gives: the state for the next, and what is kept of this one. */
export interface Turn<S extends string, C extends string> {
  readonly next: Values<S>;
  readonly collect?: Values<C>;
}

export interface RepeatOptions<X extends string> {
  /** Sequences whose first axis is the turn: each turn reads its own slice. */
  readonly over?: Values<X>;
  /** Turns from the last slice to the first; default false. What is collected keeps its slice's place. */
  readonly reverse?: boolean;
  /** What every turn computes for itself though it comes out the same, as {@link LoopParts.ownInTurns}; nothing when left out. */
  readonly ownInTurns?: NonNullable<LoopParts["ownInTurns"]>;
}

export interface Repeated<S extends string, C extends string> {
  /** The state after the last turn. */
  readonly last: Values<S>;
  /** What each turn collected, along a new first axis. */
  readonly collected: Values<C>;
}

/**
 * A loop in the graph: `body` is written once and runs `times` times on the device, carrying a state. It may read any
 * value around it; its gradient is a loop as well.
 *
 *   stateₜ₊₁, collectedₜ = body(stateₜ, sliceₜ, t)
 *
 * Shapes   next as the state · over [times,…] → slices […] · collect […] → collected [times,…]
 * Throws   ShapeError where the next state differs from the state, or a sequence from `times`
 * Example  repeat(8, { x }, ({ x }) => ({ next: { x: build.tanh(x) } })).last.x
 */
export function repeat<S extends string, C extends string = never, X extends string = never>(
  times: Dim,
  state: Values<S>,
  body: (state: Values<S>, slices: Values<X>, turn: Value) => Turn<S, C>,
  options: RepeatOptions<X> = {},
): Repeated<S, C> {
  checkOptions("repeat", options, ["over", "reverse", "ownInTurns"]);
  const { over = {} as Values<X>, reverse = false, ownInTurns } = options;
  if (typeof times === "number" && !(Number.isInteger(times) && times >= 1)) {
    throw new OptionError(`repeat: expected a whole number of at least 1 turns, got ${times}`);
  }
  const names = Object.keys(state) as S[];
  const sequences = Object.keys(over) as X[];
  for (const name of sequences) {
    if (over[name].shape[0] !== times) {
      throw new ShapeError(
        `repeat: the first axis of "${name}" must be ${times}, got ${formatShape(over[name].shape)}`,
      );
    }
  }
  if (typeof times === "string" && sequences.length === 0) {
    throw new OptionError(`repeat: ${times} turns need a sequence of that length; pass { over }`);
  }
  const slots = names.map((name) => slot(name, state[name].dtype, state[name].shape));
  const slices = sequences.map((name) => slot(name, over[name].dtype, over[name].shape.slice(1)));
  const turn = slot("turn", "int32", []);
  const { next, collect = {} as Values<C> } = body(record(names, slots), record(sequences, slices), turn);
  const kept = Object.keys(collect) as C[];
  checkNext(state, next);

  // The turn is counted by a sequence of its own where the number of turns is known, otherwise by a state.
  const isCounted = typeof times === "string";
  const { loop, inputs } = loopOf({
    times,
    reverse,
    initial: [...names.map((name) => state[name]), ...(isCounted ? [build.scalar(0, "int32")] : [])],
    sequences: [...sequences.map((name) => over[name]), ...(isCounted ? [] : [turns(times, reverse)])],
    state: [...slots, ...(isCounted ? [turn] : [])],
    slices: [...slices, ...(isCounted ? [] : [turn])],
    next: [...names.map((name) => next[name]), ...(isCounted ? [build.add(turn, 1)] : [])],
    collect: kept.map((name) => collect[name]),
    ...(ownInTurns && { ownInTurns }),
  });
  return {
    last: record(
      names,
      names.map((_, i) => loopResult(loop, inputs, i)),
    ),
    collected: record(
      kept,
      kept.map((_, i) => loopResult(loop, inputs, loop.next.length + i)),
    ),
  };
}

function record<K extends string>(names: readonly K[], values: readonly Value[]): Values<K> {
  return Object.fromEntries(names.map((name, i) => [name, values[i]])) as Record<K, Value>;
}

/** The number of each slice's turn. */
function turns(times: number, reverse: boolean): Value {
  return constant(
    new Tensor(
      "int32",
      [times],
      Int32Array.from({ length: times }, (_, i) => (reverse ? times - 1 - i : i)),
    ),
  );
}

function checkNext(state: Readonly<Record<string, Value>>, next: Readonly<Record<string, Value>>): void {
  const [held, given] = [Object.keys(state), Object.keys(next)];
  const wrong = held.find((name) => !given.includes(name)) ?? given.find((name) => !held.includes(name));
  if (wrong !== undefined) {
    throw new OptionError(
      `repeat: state and next must have the same names, got ${held.join(", ")} and ${given.join(", ")}`,
    );
  }
  for (const name of held) {
    const [before, after] = [state[name], next[name]];
    if (formatShape(before.shape) !== formatShape(after.shape) || before.dtype !== after.dtype) {
      throw new ShapeError(
        `repeat: the next "${name}" must be ${formatShape(before.shape)} ${before.dtype} as the state is, got ${formatShape(after.shape)} ${after.dtype}`,
      );
    }
  }
}
