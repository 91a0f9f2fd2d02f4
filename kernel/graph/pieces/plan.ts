import type { Join, Strip } from "../blocks/join.js";
import type { Dim, SymbolicShape } from "../dims.js";
import { inputName } from "../feeds.js";
import { loopGroups, loopResult } from "../loop.js";
import { input } from "../ops/index.js";
import { linearise } from "../order.js";
import { programOf } from "../program.js";
import { rewired } from "../rewrite.js";
import type { Tensor } from "../../tensor/index.js";
import type { Loop, Value } from "../value.js";

/** A loop that is run some turns at a time. Each name is that of a held tensor. */
export interface LoopPiece {
  readonly loop: Loop;
  /** Input of the piece → the tensor that it is before the first turn, and the output that it is after some turns. */
  readonly states: Readonly<Record<string, { readonly first: string; readonly next: string }>>;
  /** Input of the piece → the sequence that it is some slices of. */
  readonly slices: Readonly<Record<string, string>>;
  /** What stays the same in all turns. */
  readonly kept: readonly string[];
  /** Outputs of which each turn gives a slice. */
  readonly collected: readonly string[];
  /** Of these, those that are rows of a held tensor. */
  readonly rows: Readonly<Record<string, RowsOf>>;
  /** Held tensors whose rows are all there after this loop. */
  readonly completes: readonly string[];
}

/** Where rows that a loop gives belong. */
export interface RowsOf extends Pick<Join, "axis">, Omit<Strip, "value"> {
  /** The held tensor. */
  readonly into: string;
  readonly shape: SymbolicShape;
}

/** What is computed in one go, or a loop. */
export interface Piece {
  /** What it gives, under the names by which it is held; of a loop some turns of it, over the axis {@link turnsWord}. */
  readonly outputs: Readonly<Record<string, Value>>;
  readonly loop?: LoopPiece;
  /** Held tensors that it reads. */
  readonly reads: readonly string[];
}

export interface Pieces {
  readonly pieces: readonly Piece[];
  /** Tensors that are held from the beginning, besides what is fed. */
  readonly constants: Readonly<Record<string, Tensor>>;
  /** Outputs of the graph → names of what is held in the end. */
  readonly results: Readonly<Record<string, string>>;
  /** What is fed. */
  readonly inputs: readonly Value[];
}

/** The axis of a loop's turns in its piece. */
export const turnsWord = "turns";

/** The plain axis words of a graph, each with an input that has it. */
function carriers(inputs: readonly Value[]): ReadonlyMap<string, Value> {
  const found = new Map<string, Value>();
  const plain = (dim: Dim): dim is string => typeof dim === "string" && /^\w+$/.test(dim);
  for (const value of inputs) for (const dim of value.shape) if (plain(dim) && !found.has(dim)) found.set(dim, value);
  return found;
}

const joinName = (i: number): string => `joins.${i}`;
const stripName = (i: number, j: number): string => `joins.${i}.${j}`;

/** What is put together and what from, under names by which they are found in a program. */
function joinedOutputs(joins: readonly Join[]): Readonly<Record<string, Value>> {
  const named = joins.flatMap(({ value, strips }, i) => [
    [joinName(i), value] as const,
    ...strips.map((strip, j) => [stripName(i, j), strip.value] as const),
  ]);
  return Object.fromEntries(named);
}

/**
 * A graph cut at its loops into graphs that run one after another: each loop by itself, some turns at a time, and before
 * it what it reads. What is needed later is held between them, so that the rest of the memory goes back. What `joins` put
 * together from rows of loops is written row by row where it is held.
 *
 * Example  piecesOf(blocks.outputs, blocks.joins) with blocks = inBlocks({ mass }, { word: "query", length: 32768, rows: 32 })
 */
export function piecesOf(given: Readonly<Record<string, Value>>, joins: readonly Join[] = []): Pieces {
  const { values, outputs: all, inputs } = programOf({ ...given, ...joinedOutputs(joins) });
  const outputs = Object.fromEntries(Object.keys(given).map((name) => [name, all[name]]));
  const groups = loopGroups(values);
  const words = carriers(inputs);
  const held = new Map<Value, Value>();
  const constants: Record<string, Tensor> = {};
  const pieces: Piece[] = [];
  /** What is put together, by what it is put together from; `open`: strips that are still to come. */
  const strips = new Map<Value, Omit<RowsOf, "shape"> & { readonly whole: Value }>();
  const open = new Map<Value, number>();
  joins.forEach(({ axis, strips: own }, i) => {
    const whole = all[joinName(i)];
    if (open.has(whole)) return;
    open.set(whole, own.length);
    own.forEach(({ first, size, count }, j) =>
      strips.set(all[stripName(i, j)], { into: `joined ${i}`, whole, axis, first, size, count }),
    );
  });
  /** Whether a value depends on what is fed. */
  const depends = new Set<Value>();
  for (const value of values) {
    if (value.source?.kind === "input") held.set(value, value);
    if (value.loop || held.has(value) || value.inputs.some((x) => depends.has(x))) depends.add(value);
  }
  const nameOf = (value: Value): string => inputName(held.get(value)!);
  const hold = (value: Value): string => {
    const name = `held ${held.size}`;
    held.set(value, input(name, value.dtype, value.shape));
    return name;
  };
  /** The same values on what is held. */
  const onHeld = (wanted: readonly Value[]): readonly Value[] => {
    const made = new Map<Value, Value>(held);
    for (const value of linearise(wanted, new Set(held.keys()))) {
      if (!made.has(value)) made.set(value, rewired(value, value.inputs.map((x) => made.get(x)!))); // prettier-ignore
    }
    return wanted.map((value) => made.get(value)!);
  };
  const add = (own: Readonly<Record<string, Value>>, loop?: Omit<LoopPiece, "kept">): void => {
    const leaves = programOf(own).inputs;
    // An axis word has its size from some input.
    const lacking = [...words].filter(([word]) => !leaves.some(({ shape }) => shape.includes(word)));
    const sizes = Object.fromEntries(lacking.map(([word, carrier]) => [`size of ${word}`, carrier]));
    const names = [...new Set([...leaves, ...Object.values(sizes)].map(inputName))];
    const kept = names.filter((name) => !loop || !(name in loop.states || name in loop.slices));
    const moving = loop ? [...Object.values(loop.states).map(({ first }) => first), ...Object.values(loop.slices)] : [];
    pieces.push({
      outputs: { ...own, ...sizes },
      reads: [...new Set([...kept, ...moving])],
      ...(loop && { loop: { ...loop, kept } }),
    });
  };

  /** What outputs are computed from after the last loop. */
  const ending = new Set(
    linearise(Object.values(outputs), new Set(values.filter((value) => value.loop !== undefined || open.has(value)))),
  );
  const settle = (operands: readonly Value[]): void => {
    // What outputs need and can have already is computed early: what it is computed from need not be held for it.
    const ready = new Set<Value>();
    for (const value of values) {
      if (held.has(value) || (!value.loop && value.inputs.every((x) => ready.has(x)))) ready.add(value);
    }
    const isLast = new Set(Object.values(outputs));
    for (const value of ending) if (!ready.has(value) && !value.loop) value.inputs.forEach((x) => isLast.add(x));
    const early = [...ending].filter((x) => ready.has(x) && isLast.has(x) && depends.has(x));
    const wanted = [...new Set([...operands, ...early])].filter((x) => !held.has(x));
    if (wanted.length === 0) return;
    const written = onHeld(wanted);
    add(Object.fromEntries(wanted.map((x, i) => [hold(x), written[i]])));
  };

  for (const value of values) {
    const group = groups.get(value);
    if (!group || group[0] !== value) continue;
    const loop = value.loop!;
    const [first, from] = [loop.state.length, loop.state.length + loop.slices.length];
    const moving = value.inputs.slice(0, from);
    const captured = value.inputs.slice(from);
    for (const x of moving) {
      if (x.source?.kind === "constant" && !held.has(x)) constants[hold(x)] = x.source.tensor;
    }
    settle([...moving, ...captured.filter((x) => depends.has(x))]);
    const at = (kind: string, i: number): string => `${kind} ${i}`;
    const turning: Loop = { ...loop, times: turnsWord };
    const leaves = moving.map((x, i) =>
      i < first
        ? input(at("state", i), x.dtype, x.shape)
        : input(at("slices", i - first), x.dtype, [turnsWord, ...x.shape.slice(1)]),
    );
    const operands = [...leaves, ...onHeld(captured)];
    const results = new Map(group.map((own) => [own.attributes["result"] as number, own]));
    const states = loop.state.map((_, i) => ({ value: loopResult(turning, operands, i), own: results.get(i) }));
    const collected = group.filter((own) => (own.attributes["result"] as number) >= first);
    const stateNames = states.map(({ own }, i) => (own ? hold(own) : at("unread", i)));
    const collectedNames = collected.map(hold);
    const rows = collected.flatMap((own, i): (readonly [string, RowsOf])[] => {
      const strip = strips.get(own);
      return strip ? [[collectedNames[i], { ...strip, shape: strip.whole.shape }]] : [];
    });
    const completes = collected.flatMap((own): string[] => {
      const strip = strips.get(own);
      if (!strip) return [];
      const { whole, into } = strip;
      open.set(whole, open.get(whole)! - 1);
      if (open.get(whole)! > 0) return [];
      held.set(whole, input(into, whole.dtype, whole.shape));
      return [into];
    });
    const piece = {
      loop,
      states: Object.fromEntries(
        states.map((_, i) => [at("state", i), { first: nameOf(moving[i]), next: stateNames[i] }]),
      ),
      slices: Object.fromEntries(moving.slice(first).map((x, i) => [at("slices", i), nameOf(x)])),
      collected: collectedNames,
      rows: Object.fromEntries(rows),
      completes,
    };
    add(
      Object.fromEntries([
        ...states.map(({ value: next }, i) => [stateNames[i], next] as const),
        ...collected.map((own, i) => {
          return [collectedNames[i], loopResult(turning, operands, own.attributes["result"] as number)] as const;
        }),
      ]),
      piece,
    );
  }
  for (const value of Object.values(outputs)) {
    if (value.source?.kind === "constant" && !held.has(value)) constants[hold(value)] = value.source.tensor;
  }
  settle(Object.values(outputs));
  return {
    pieces,
    constants,
    inputs,
    results: Object.fromEntries(Object.entries(outputs).map(([name, value]) => [name, nameOf(value)])),
  };
}
