import { bytesOf, OptionError, sizeOf } from "../tensor/index.js";
import { bindShape } from "./dims.js";
import { leavesOf } from "./loop.js";
import { linearise } from "./order.js";
import type { Loop, Value } from "./value.js";

/** A graph made ready to run: dead code gone, equal values merged, operands first. */
export interface Program {
  /** Leaves included. */
  readonly values: readonly Value[];
  readonly inputs: readonly Value[];
  readonly outputs: Readonly<Record<string, Value>>;
}

/** The most elements of a constant that is known by what it holds. */
export const smallConstant = 64;

/** Equal for leaves that hold the same; `identity` tells apart those that are not compared. */
export function sourceKey(value: Value, identity: number): string {
  const { source, dtype, shape } = value;
  switch (source?.kind) {
    case "input":
      return `input ${source.name}`;
    case "weight":
      return `weight ${source.path} ${source.offset} ${source.storage} ${dtype} [${shape.join()}]`;
    case "constant": {
      const { data } = source.tensor;
      return data.length <= smallConstant
        ? `constant ${dtype} [${shape.join()}] ${Array.from(data, formatExact).join()}`
        : `unique ${identity}`;
    }
    case "slot":
    case undefined:
      return `unique ${identity}`;
  }
}

/** Tells −0 from 0, which the usual text of a number does not. */
function formatExact(x: number | bigint): string {
  return Object.is(x, -0) ? "-0" : String(x);
}

/** Equal values merged: those that remain, operands first, and which of them stands for each. */
function mergeEqual(outputs: readonly Value[], leaves: ReadonlySet<Value> = new Set()) {
  const merged = new Map<string, Value>();
  const ids = new Map<Value, number>();
  const loops = new Map<Loop, number>();
  const replacement = new Map<Value, Value>();
  for (const value of linearise(outputs, leaves)) {
    if (leaves.has(value)) {
      ids.set(value, ids.size);
      replacement.set(value, value);
      continue;
    }
    if (value.loop && !loops.has(value.loop)) loops.set(value.loop, loops.size);
    const inputs = value.inputs.map((x) => replacement.get(x)!);
    const key = value.op
      ? `${value.op}${value.loop ? `#${loops.get(value.loop)}` : ""}(${inputs.map((x) => ids.get(x)).join()}) ${JSON.stringify(value.attributes)}`
      : sourceKey(value, replacement.size);
    const same = merged.get(key);
    const kept = same ?? (inputs.every((x, i) => x === value.inputs[i]) ? value : Object.freeze({ ...value, inputs }));
    if (
      same &&
      value.source?.kind === "input" &&
      `${same.dtype}${same.shape.join()}` !== `${value.dtype}${value.shape.join()}`
    ) {
      throw new OptionError(`graph: two inputs are called "${value.source.name}"`);
    }
    if (!same) ids.set(kept, ids.size);
    merged.set(key, kept);
    replacement.set(value, kept);
  }
  return { values: [...ids.keys()], replacement };
}

/**
 * The program that computes these outputs.
 *
 * Throws   OptionError when two inputs share a name but not a type, or when a value of a loop's body is read outside
 */
export function programOf(outputs: Readonly<Record<string, Value>>): Program {
  const { values, replacement } = mergeEqual(Object.values(outputs));
  const lost = values.find(({ source }) => source?.kind === "slot");
  if (lost)
    throw new OptionError(`repeat: "${lost.label}" is read outside of its loop; collect it, or make it a state`);
  return {
    values,
    inputs: values.filter(({ source }) => source?.kind === "input"),
    outputs: Object.fromEntries(Object.entries(outputs).map(([name, value]) => [name, replacement.get(value)!])),
  };
}

/** What one turn of a loop computes, its own leaves included, and where its wanted results are found. */
export interface Body {
  readonly values: readonly Value[];
  readonly results: readonly Value[];
}

/** The body of a loop for these of its results, made ready to run. */
export function bodyOf(loop: Loop, results: readonly Value[]): Body {
  const captured = new Set(loop.captured);
  const { values, replacement } = mergeEqual(results, new Set(leavesOf(loop)));
  const leaves = [...loop.state, ...loop.slices];
  return {
    values: [...leaves, ...values.filter((value) => !captured.has(value) && !leaves.includes(value))],
    results: results.map((value) => replacement.get(value)!),
  };
}

/** Bytes of the files' weights that a program reads, in the dtype it computes in. */
export function weightBytes({ values }: Program): number {
  const files = new Set(values.flatMap(({ file }) => file ?? []));
  const held = [...files].reduce((sum, file) => sum + file.weightBytes, 0);
  return values
    .filter(({ source }) => source?.kind === "weight")
    .reduce((sum, { shape, dtype }) => sum + sizeOf(shape as readonly number[]) * bytesOf(dtype), held);
}

/** The most bytes of activations alive at once when values are freed after their last use; outputs stay. */
export function activationBytes({ values, outputs }: Program, sizes: Readonly<Record<string, number>>): number {
  const lastUse = new Map<Value, number>();
  values.forEach((value, step) => value.inputs.forEach((x) => lastUse.set(x, step)));
  Object.values(outputs).forEach((value) => lastUse.set(value, values.length));
  const freed = new Map<number, number>();
  let alive = 0;
  let peak = 0;
  values.forEach((value, step) => {
    if (value.op) {
      const bytes = sizeOf(bindShape(value.label ?? value.op, value.shape, sizes)) * bytesOf(value.dtype);
      alive += bytes;
      const end = lastUse.get(value) ?? step;
      freed.set(end, (freed.get(end) ?? 0) + bytes);
    }
    peak = Math.max(peak, alive);
    alive -= freed.get(step) ?? 0;
  });
  return peak;
}
