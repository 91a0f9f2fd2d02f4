import type { Tensor } from "../../tensor/index.js";
import { bindShape } from "../dims.js";
import type { Carried, Compiled, Engine, RunSettings } from "../engine.js";
import { bindFeeds } from "../feeds.js";
import { leavesOf } from "../loop.js";
import { linearise } from "../order.js";
import { programOf, weightBytes } from "../program.js";
import type { Loop } from "../value.js";
import { RowsInPlace, Slices } from "./collected.js";
import type { LoopPiece, Pieces } from "./plan.js";

export interface PieceSettings extends RunSettings {
  /** Called after some turns of a loop with the share of the work that is done, 0 … 1. */
  readonly onProgress?: ((done: number) => void) | undefined;
  /** How long the engine may be asked to work without a break, in milliseconds; default 1000. */
  readonly spanMs?: number;
  /** Outputs that are handed over as soon as they are there: only what later pieces read of them is held, none is returned. */
  readonly take?: Readonly<Record<string, (tensor: Tensor) => void>>;
}

/** Beyond so many bytes the weights of a loop are read as they lie: laid out for faster products they lie there twice. */
const laidOutLimit = 2 ** 28;

type Tensors = Readonly<Record<string, Tensor>>;

/** Numbers that a loop computes in all its turns: what its time grows with. */
function workOf({ times, next, collect, ...loop }: Loop, sizes: Readonly<Record<string, number>>): number {
  const leaves = new Set(leavesOf({ times, next, collect, ...loop }));
  const [turns] = bindShape("pieces", [times], sizes);
  return linearise([...next, ...collect], leaves)
    .filter((value) => !leaves.has(value))
    .reduce((sum, { shape }) => sum + bindShape("pieces", shape, sizes).reduce((a, b) => a * b, turns), 0);
}

/**
 * Runs a graph piece by piece: an interrupt stops it after the turns that are under way, and only what later pieces read
 * is held between them.
 *
 * Throws   as `Compiled.run`
 */
export async function runPieces(
  engine: Engine,
  { pieces, constants, results, inputs }: Pieces,
  feeds: Tensors,
  { onProgress, spanMs = 1000, take = {}, ...settings }: PieceSettings = {},
): Promise<Tensors> {
  const sizes = bindFeeds(inputs, feeds);
  const works = pieces.map(({ loop }) => (loop ? workOf(loop.loop, sizes) : 0));
  const allWork = works.reduce((sum, work) => sum + work, 0);
  const held = new Map<string, Tensor>(Object.entries({ ...feeds, ...constants }));
  const isGiven = (name: string): boolean => name in feeds || name in constants;
  const lastRead = new Map<string, number>();
  pieces.forEach(({ reads }, i) => reads.forEach((name) => lastRead.set(name, i)));
  const returned = Object.entries(results).filter(([output]) => !Object.hasOwn(take, output));
  returned.forEach(([, name]) => lastRead.set(name, Infinity));
  const isTaken = new Set(Object.keys(take).map((output) => results[output]));
  const handOver = (made: ReadonlyMap<string, Tensor>): void => {
    for (const [output, taken] of Object.entries(take)) {
      const tensor = made.get(results[output]);
      if (tensor) taken(tensor);
    }
  };
  handOver(held);
  let done = 0;
  const joined = new RowsInPlace(sizes);
  const at = (name: string): Tensor => held.get(name)!;
  /** The engine has the memory of what is held for as long as it works with it, and then what is needed later comes back. */
  const lent = (names: readonly string[]): readonly string[] => names.filter((name) => !isGiven(name));
  const takeBack = async (carried: Carried, names: readonly string[], step: number): Promise<void> => {
    const back = await carried.end(names.filter((name) => lastRead.get(name)! > step));
    for (const [name, tensor] of Object.entries(back)) held.set(name, tensor);
  };

  /** All that a piece without a loop gives. */
  const runOnce = async (compiled: Compiled, reads: readonly string[], wanted: readonly string[], step: number) => {
    const kept = Object.fromEntries(reads.map((name) => [name, at(name)]));
    const carried = await compiled.carry({}, {}, { kept, gives: lent(reads) });
    try {
      const made = await carried.run({}, wanted, settings);
      await takeBack(carried, lent(reads), step);
      return made;
    } finally {
      carried.dispose().catch(() => undefined);
    }
  };
  /** All turns of a loop. */
  const turnAll = async (compiled: Compiled, piece: LoopPiece, step: number): Promise<Tensors> => {
    const { loop, states, slices, kept, collected, rows, completes } = piece;
    const turns = at(Object.values(slices)[0]).shape[0];
    const found = new Slices(turns);
    const next = Object.fromEntries(Object.entries(states).map(([name, own]) => [name, own.next]));
    const first = Object.fromEntries(Object.entries(states).map(([name, own]) => [name, at(own.first)]));
    const same = Object.fromEntries(kept.map((name) => [name, at(name)]));
    const moving = new Set([...Object.values(slices), ...Object.values(states).map((own) => own.first)]);
    const gives = lent(kept).filter((name) => !moving.has(name));
    const carried = await compiled.carry(next, first, { kept: same, gives });
    try {
      let count = 1;
      for (let turn = 0; turn < turns;) {
        const own = Math.min(count, turns - turn);
        const from = loop.reverse ? turns - turn - own : turn;
        const some = Object.entries(slices).map(([name, whole]) => [name, at(whole).slice([from, from + own])]);
        const began = Date.now();
        const parts = await carried.run(Object.fromEntries(some) as Tensors, collected, settings);
        const tookMs = Math.max(Date.now() - began, 1);
        for (const name of collected) {
          const isRows = Object.hasOwn(rows, name);
          if (isRows) joined.put(from, parts[name], rows[name]);
          if (!isRows || lastRead.has(name)) found.put(from, name, parts[name]);
        }
        turn += own;
        count = Math.max(1, Math.min(4 * own, Math.floor((own * spanMs) / tookMs)));
        onProgress?.((done + (works[step] * turn) / turns) / allWork);
      }
      const last = await carried.read();
      await takeBack(carried, gives, step);
      const ends = Object.entries(next).map(([name, own]) => [own, last[name]]);
      const whole = completes.map((name) => [name, joined.take(name)]);
      return { ...found.tensors, ...(Object.fromEntries([...ends, ...whole]) as Tensors) };
    } finally {
      // Not awaited: what is under way is waited for there, an interrupt waits for nothing.
      carried.dispose().catch(() => undefined);
    }
  };

  for (const [step, { outputs, loop, reads }] of pieces.entries()) {
    const isFleeting = !loop || weightBytes(programOf(outputs)) > laidOutLimit;
    const compiled = await engine.compile(outputs, { ...settings, isFleeting, isSparing: isFleeting });
    try {
      const wanted = Object.keys(outputs).filter((name) => lastRead.has(name) || isTaken.has(name));
      const made = loop ? await turnAll(compiled, loop, step) : await runOnce(compiled, reads, wanted, step);
      for (const name of reads) if (lastRead.get(name) === step) held.delete(name);
      for (const [name, tensor] of Object.entries(made)) if (lastRead.has(name)) held.set(name, tensor);
      handOver(new Map(Object.entries(made)));
    } finally {
      compiled.dispose().catch(() => undefined);
    }
    done += works[step];
  }
  return Object.fromEntries(returned.map(([output, name]) => [output, held.get(name)!]));
}
