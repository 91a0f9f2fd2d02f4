import { OptionError, Tensor } from "../../tensor/index.js";
import { build } from "../build.js";
import type { Dim, SymbolicShape } from "../dims.js";
import { productOf, quotientOf } from "../dims.js";
import { input } from "../ops/index.js";
import { programOf } from "../program.js";
import { repeat } from "../repeat.js";
import { rewired } from "../rewrite.js";
import type { Attributes, Value } from "../value.js";
import type { BlockPlan } from "./plan.js";
import { planBlocks } from "./plan.js";

export interface BlockOptions {
  /** The axis word whose rows are computed in blocks: `"query"`. */
  readonly word: string;
  /** Its size in the run that is meant. */
  readonly length: number;
  /** Rows per block. */
  readonly rows: number;
  /** Values that are kept between loops rather than computed again; none when left out. */
  readonly keep?: (value: Value) => boolean;
  /** What has at most so many numbers in a row is computed whole where nothing before it is in blocks; default 256. */
  readonly narrow?: number;
  /** Whether the number of blocks is part of the graph, as devices without loops need it; default false. */
  readonly fixed?: boolean;
}

/** A graph in blocks, and what it is fed besides its own inputs. */
export interface InBlocks {
  readonly outputs: Readonly<Record<string, Value>>;
  readonly feeds: Readonly<Record<string, Tensor>>;
}

const names = { rows: "blocks.rows", real: "blocks.real", all: "blocks.all" } as const;
const mostNegative = -3.4028234663852886e38;

/** What holds the rows of a block: their positions, and which of them fill the last block up. */
interface Block {
  readonly rows: Value;
  /** Undefined where the blocks are full. */
  readonly real: Value | undefined;
}

/**
 * The same values, computed over blocks of rows: whatever has a word on two axes, as an attention pattern has, exists for
 * one block at a time. One loop per stage holds what can be computed row by row; what a later stage needs whole (keys,
 * values, the residual stream) is put together, and sums over rows are carried, in float64.
 *
 * Range    as without blocks, but for the order of sums
 * Throws   UnsupportedError where something needs all rows of a table of pairs at once
 * Example  inBlocks({ mass }, { word: "query", length: 32768, rows: 32 })
 */
export function inBlocks(given: Readonly<Record<string, Value>>, options: BlockOptions): InBlocks {
  const { word, length, keep = () => false, narrow = 256, fixed = false } = options;
  if (!Number.isInteger(options.rows) || options.rows < 1) {
    throw new OptionError(`blocks: rows must be a whole number of at least 1, got ${options.rows}`);
  }
  const size = Math.min(options.rows, length);
  const count = Math.ceil(length / size);
  const isFull = count * size === length;
  const times: Dim = fixed ? count : "blocks";
  const { outputs } = programOf(given);
  const plan = planBlocks(Object.values(outputs), { word, keep, narrow });
  const over: Record<string, Value> = {
    rows: input(names.rows, "int32", [times, size]),
    ...(isFull ? {} : { real: input(names.real, "bool", [times, size]) }),
  };
  const all = input(names.all, "int32", [word]);

  const finished = new Map<Value, Value>();
  const whole = (x: Value): Value => finished.get(x)!;
  const settle = (stage: number): void => {
    for (const x of plan.order) {
      const place = plan.places.get(x)!;
      if (place.kind !== "outside" || place.stage > stage || finished.has(x)) continue;
      if (x.inputs.every((own) => finished.has(own))) finished.set(x, rewired(x, x.inputs.map(whole)));
    }
  };
  plan.results.forEach((wanted, stage) => {
    settle(stage);
    if (wanted.size === 0) return;
    const folds = [...wanted].filter((x) => plan.places.get(x)!.kind === "fold");
    const rows = [...wanted].filter((x) => !folds.includes(x));
    const start: Record<string, Value> = Object.fromEntries(folds.map((x, i) => [`${i}`, initial(x, plan)]));
    const { last, collected } = repeat(
      times,
      start,
      (state, slices) => {
        const block: Block = { rows: slices["rows"], real: slices["real"] };
        const body = bodyOf({ plan, stage, word, size, whole, block });
        return {
          next: Object.fromEntries(folds.map((x, i) => [`${i}`, body.folded(x, state[`${i}`])])),
          collect: Object.fromEntries(rows.map((x, i) => [`${i}`, body.rows(x, axisOf(plan, x))])),
        };
      },
      { over },
    );
    folds.forEach((x, i) => finished.set(x, labelled(x, build.cast(last[`${i}`], x.dtype))));
    rows.forEach((x, i) => {
      finished.set(x, labelled(x, joined(collected[`${i}`], x, axisOf(plan, x), { word, size, times, all })));
    });
  });
  settle(plan.results.length);
  return {
    outputs: Object.fromEntries(Object.entries(outputs).map(([name, value]) => [name, whole(value)])),
    feeds: feedsOf(length, size, count),
  };
}

function axisOf({ places }: BlockPlan, x: Value): number {
  const place = places.get(x)!;
  return place.kind === "rows" ? place.axis : NaN;
}

function labelled({ label }: Value, value: Value): Value {
  return label === undefined ? value : build.named(label, value);
}

function feedsOf(length: number, size: number, count: number): Readonly<Record<string, Tensor>> {
  const places = Int32Array.from({ length: count * size }, (_, t) => t);
  const shape = [count, size];
  return {
    [names.rows]: new Tensor(
      "int32",
      shape,
      places.map((t) => Math.min(t, length - 1)),
    ),
    [names.real]: new Tensor(
      "bool",
      shape,
      Uint8Array.from(places, (t) => (t < length ? 1 : 0)),
    ),
    [names.all]: new Tensor("int32", [length], places.slice(0, length)),
  };
}

/** What a fold starts from: sums are carried in float64. */
function initial(x: Value, { places }: BlockPlan): Value {
  const place = places.get(x)!;
  const isSum = place.kind === "fold" && place.fold.kind === "sum";
  const dtype = isSum && x.dtype === "float32" ? "float64" : x.dtype;
  return build.expand(build.scalar(isSum ? 0 : mostNegative, dtype), x.shape);
}

interface BodyParts {
  readonly plan: BlockPlan;
  readonly stage: number;
  readonly word: string;
  readonly size: number;
  /** What is there before the loop. */
  readonly whole: (x: Value) => Value;
  readonly block: Block;
}

/** Writes values inside of a loop. */
function bodyOf({ plan, stage, word, size, whole, block }: BodyParts) {
  const made = new Map<string, Value>();
  const ids = new Map(plan.order.map((x, i) => [x, i]));
  const cutShape = (shape: SymbolicShape, axis: number): SymbolicShape =>
    shape.with(axis, productOf([quotientOf(shape[axis], word)!, size]));

  /** The rows of this block, taken out of the whole. */
  const taken = (x: Value, axis: number): Value => {
    const side = quotientOf(x.shape[axis], word)!;
    const full = whole(x);
    if (side === 1) return build.gather(full, block.rows, axis);
    const apart = build.reshape(full, x.shape.toSpliced(axis, 1, side, word));
    return build.reshape(build.gather(apart, block.rows, axis + 1), cutShape(x.shape, axis));
  };
  const rows = (x: Value, axis: number): Value => {
    const key = `${ids.get(x)} ${axis}`;
    const known = made.get(key);
    if (known) return known;
    const cuts = plan.rowsOf(x, axis, stage);
    let value: Value;
    if (cuts === "whole") {
      value = taken(x, axis);
    } else {
      const operands = x.inputs.map((own, i) => (cuts[i] === undefined ? whole(own) : rows(own, cuts[i])));
      const attributes: Attributes =
        "shape" in x.attributes ? { ...x.attributes, shape: cutShape(x.shape, axis) } : x.attributes;
      value = labelled(x, build.apply(x.op, operands, attributes));
    }
    made.set(key, value);
    return value;
  };
  /** Rows that fill the last block up count nothing. */
  const counted = (x: Value, axis: number, filler: number): Value => {
    const value = rows(x, axis);
    if (!block.real) return value;
    const side = quotientOf(x.shape[axis], word)!;
    if (side !== 1) return sideBySide(value, axis, side, filler);
    const after = value.shape.slice(axis + 1).map((_, i) => i + 1);
    return build.where(build.unsqueeze(block.real, after), value, filler);
  };
  const sideBySide = (value: Value, axis: number, side: Dim, filler: number): Value => {
    const apart = build.reshape(value, value.shape.toSpliced(axis, 1, side, size));
    const after = value.shape.slice(axis + 1).map((_, i) => i + 1);
    return build.reshape(build.where(build.unsqueeze(block.real!, after), apart, filler), value.shape);
  };
  const folded = (x: Value, state: Value): Value => {
    const place = plan.places.get(x)!;
    if (place.kind !== "fold") return state;
    const { kind, cuts } = place.fold;
    const operands = x.inputs.map((own, i) => {
      const axis = cuts[i];
      if (axis === undefined) return whole(own);
      return i === 0 ? counted(own, axis, kind === "sum" ? 0 : mostNegative) : rows(own, axis);
    });
    const part = build.apply(x.op, operands, x.attributes);
    return kind === "sum" ? build.add(state, build.cast(part, state.dtype)) : build.maximum(state, part);
  };
  return { rows, folded };
}

interface Joining {
  readonly word: string;
  readonly size: number;
  readonly times: Dim;
  /** Every position, by which what fills the last block up is left out. */
  readonly all: Value;
}

/** Rows of all blocks, [times, …, size, …], as one value again. */
function joined(blocks: Value, x: Value, axis: number, { word, size, times, all }: Joining): Value {
  const side = quotientOf(x.shape[axis], word)!;
  const before = x.shape.slice(0, axis);
  const after = x.shape.slice(axis + 1);
  const apart = build.reshape(blocks, [times, ...before, side, size, ...after]);
  const order = apart.shape.map((_, at) => at).slice(1);
  const beside = build.transpose(apart, order.toSpliced(axis + 1, 0, 0)); // [before, side, times, size, after]
  const long = build.reshape(beside, [...before, side, productOf([times, size]), ...after]);
  return build.reshape(build.gather(long, all, axis + 1), x.shape);
}
