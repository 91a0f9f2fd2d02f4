import { isFloat } from "../tensor/index.js";
import { build } from "./build.js";
import { leavesOf, loopOf, loopResult, slot } from "./loop.js";
import type { Value } from "./value.js";

/** Cotangents of values from those of what they lead to; nothing beyond `leaves` is looked at. */
export type Pullback = (
  seeds: readonly (readonly [Value, Value])[],
  wrt: readonly Value[],
  leaves: ReadonlySet<Value>,
) => readonly (Value | undefined)[];

const zeros = ({ dtype, shape }: Value): Value => build.expand(build.scalar(0, dtype), shape);

/**
 * The cotangents of a loop's operands: one loop over the same turns backwards, which carries the state's cotangent and
 * sums those of what the body reads from outside.
 *
 * Range    undefined for an operand that is no float, or is not wanted
 */
export function loopCotangents(
  pullback: Pullback,
  results: readonly Value[],
  cotangentOf: (result: Value) => Value | undefined,
  isWanted: (input: Value) => boolean,
): readonly (Value | undefined)[] {
  const [{ inputs }] = results;
  const loop = results[0].loop!;
  const { times, reverse, state, slices, captured, next, collect } = loop;
  const given = new Map(results.map((value) => [value.attributes["result"] as number, cotangentOf(value)]));
  const leaves = leavesOf(loop);
  const startOf = (leaf: Value): Value => inputs[leaves.indexOf(leaf)];
  const isOpen = (leaf: Value): boolean => isFloat(leaf.dtype) && isWanted(startOf(leaf));
  const carried = state.filter(({ dtype }) => isFloat(dtype));
  const [sliced, summed] = [slices.filter(isOpen), captured.filter(isOpen)];

  const like = ({ dtype, shape, label }: Value): Value => slot(`d ${label ?? ""}`, dtype, shape);
  const [stateSlots, sumSlots] = [carried.map(like), summed.map(like)];
  const collected = collect.flatMap((value, i) => {
    const d = given.get(next.length + i);
    return d ? [{ value, d, slot: like(value) }] : [];
  });
  const seeds = [
    ...carried.map((leaf, i) => [next[state.indexOf(leaf)], stateSlots[i]] as const),
    ...collected.map((entry) => [entry.value, entry.slot] as const),
  ];
  const wrt = [...carried, ...summed, ...sliced];
  const parts = pullback(seeds, wrt, new Set(leaves));
  const [dState, dSum, dSlice] = [carried, summed, sliced].map((group) =>
    group.map((leaf) => parts[wrt.indexOf(leaf)]),
  );

  // The state before each turn is what the forward loop can collect last.
  const before = state.map((_, i) => loopResult(loop, inputs, next.length + collect.length - state.length + i));
  const backward = loopOf({
    times,
    reverse: !reverse,
    initial: [...carried.map((leaf) => given.get(state.indexOf(leaf)) ?? zeros(startOf(leaf))), ...summed.map(zeros)],
    sequences: [...before, ...slices.map(startOf), ...collected.map(({ d }) => d)],
    state: [...stateSlots, ...sumSlots],
    slices: [...state, ...slices, ...collected.map((entry) => entry.slot)],
    next: [
      ...dState.map((d, i) => d ?? zeros(carried[i])),
      ...dSum.map((d, i) => (d ? build.add(sumSlots[i], d) : sumSlots[i])),
    ],
    collect: dSlice.map((d, i) => d ?? zeros(sliced[i])),
  });
  const result = (i: number): Value => loopResult(backward.loop, backward.inputs, i);
  return leaves.map((leaf) => {
    if (!isOpen(leaf)) return undefined;
    const [i, j, k] = [carried, summed, sliced].map((group) => group.indexOf(leaf));
    if (i >= 0) return result(i);
    return j >= 0 ? result(carried.length + j) : result(carried.length + summed.length + k);
  });
}
