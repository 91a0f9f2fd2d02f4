import { UnsupportedError } from "../tensor/index.js";
import { build } from "./build.js";
import { leavesOf } from "./loop.js";
import { linearise } from "./order.js";
import { rewired } from "./rewrite.js";
import type { Loop, Value } from "./value.js";

type Copies = Map<Value, Value>;

/** Every result of a loop, written out turn by turn. */
function turnsOf(loop: Loop, inputs: readonly Value[]): readonly Value[] {
  const { times, reverse, state, slices, next, collect } = loop;
  if (typeof times !== "number") {
    throw new UnsupportedError(`repeat: "${times}" turns cannot be written out one by one; give their number`);
  }
  const order = Array.from({ length: times }, (_, t) => (reverse ? times - 1 - t : t));
  let held = inputs.slice(0, state.length);
  const sequences = inputs.slice(state.length, state.length + slices.length);
  const kept = collect.map(() => new Array<Value>(times));
  for (const at of order) {
    const own = sequences.map((x) => build.squeeze(build.slice(x, 0, at, at + 1), [0]));
    const given = [...held, ...own, ...inputs.slice(state.length + slices.length)];
    const copies: Copies = new Map(leavesOf(loop).map((leaf, i) => [leaf, given[i]]));
    rewrite([...next, ...collect], copies);
    held = next.map((value) => copies.get(value)!);
    collect.forEach((value, i) => (kept[i][at] = build.unsqueeze(copies.get(value)!, [0])));
  }
  return [...held, ...kept.map((parts) => build.concat(parts, 0))];
}

/** Adds to `copies` every value that the outputs reach, without loops. */
function rewrite(outputs: readonly Value[], copies: Copies): void {
  const written: { readonly loop: Loop; readonly inputs: readonly Value[]; readonly results: readonly Value[] }[] = [];
  for (const value of linearise(outputs, new Set(copies.keys()))) {
    if (copies.has(value)) continue;
    const inputs = value.inputs.map((x) => copies.get(x)!);
    const { loop } = value;
    if (!loop) {
      copies.set(value, rewired(value, inputs));
      continue;
    }
    let known = written.find((entry) => entry.loop === loop && entry.inputs.every((x, i) => x === inputs[i]));
    if (!known) written.push((known = { loop, inputs, results: turnsOf(loop, inputs) }));
    const result = known.results[value.attributes["result"] as number];
    copies.set(value, value.label === undefined ? result : build.named(value.label, result));
  }
}

/**
 * The same graph with every loop written out turn by turn: for devices without loops, and the reference of `repeat`.
 *
 * Throws   UnsupportedError on a loop whose number of turns is known only when the graph runs
 */
export function unrolled(outputs: Readonly<Record<string, Value>>): Record<string, Value> {
  const copies: Copies = new Map();
  rewrite(Object.values(outputs), copies);
  return Object.fromEntries(Object.entries(outputs).map(([name, value]) => [name, copies.get(value)!]));
}
