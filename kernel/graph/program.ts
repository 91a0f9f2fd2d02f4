import { bytesOf, OptionError, sizeOf } from "../tensor/index.js";
import { bindShape } from "./dims.js";
import { linearise } from "./order.js";
import type { Value } from "./value.js";

/** A graph made ready to run: dead code gone, equal values merged, operands first. */
export interface Program {
  /** Leaves included. */
  readonly values: readonly Value[];
  readonly inputs: readonly Value[];
  readonly outputs: Readonly<Record<string, Value>>;
}

function sourceKey(value: Value, identity: number): string {
  const { source, dtype, shape } = value;
  switch (source?.kind) {
    case "input":
      return `input ${source.name}`;
    case "weight":
      return `weight ${source.path} ${source.offset} ${source.storage} ${dtype} [${shape.join()}]`;
    case "constant": {
      const { data } = source.tensor;
      return data.length <= 64
        ? `constant ${dtype} [${shape.join()}] ${Array.from(data, formatExact).join()}`
        : `unique ${identity}`;
    }
    case undefined:
      return `unique ${identity}`;
  }
}

/** Tells −0 from 0, which the usual text of a number does not. */
function formatExact(x: number | bigint): string {
  return Object.is(x, -0) ? "-0" : String(x);
}

/**
 * The program that computes these outputs.
 *
 * Throws   OptionError when two inputs share a name but not a type
 */
export function programOf(outputs: Readonly<Record<string, Value>>): Program {
  const merged = new Map<string, Value>();
  const ids = new Map<Value, number>();
  const replacement = new Map<Value, Value>();
  for (const value of linearise(Object.values(outputs))) {
    const inputs = value.inputs.map((x) => replacement.get(x)!);
    const key = value.op
      ? `${value.op}(${inputs.map((x) => ids.get(x)).join()}) ${JSON.stringify(value.attributes)}`
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
  const values = [...ids.keys()];
  return {
    values,
    inputs: values.filter(({ source }) => source?.kind === "input"),
    outputs: Object.fromEntries(Object.entries(outputs).map(([name, value]) => [name, replacement.get(value)!])),
  };
}

/** Bytes of the files' weights that a program reads, in the dtype it computes in. */
export function weightBytes({ values }: Program): number {
  return values
    .filter(({ source }) => source?.kind === "weight")
    .reduce((sum, { shape, dtype }) => sum + sizeOf(shape as readonly number[]) * bytesOf(dtype), 0);
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
