import { OptionError, Tensor } from "../../tensor/index.js";
import { build } from "../build.js";
import type { Dim } from "../dims.js";
import { input } from "../ops/index.js";
import { programOf } from "../program.js";
import { repeat } from "../repeat.js";
import { rewired } from "../rewrite.js";
import type { Value } from "../value.js";
import type { Alone } from "./alone.js";
import { alone } from "./alone.js";
import type { Block } from "./body.js";
import { bodyOf, endingAt, labelled, mostNegative } from "./body.js";
import type { Join, Made } from "./join.js";
import { strip } from "./join.js";
import type { BlockPlan } from "./plan.js";
import { planBlocks } from "./plan.js";
import { readsBackwards } from "./prefix.js";

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
  /**
   * Into how many parts the rows are divided, of which each reads the keys up to its own end alone, where nothing after a
   * query has any say (see {@link readsBackwards}): half of all pairs are left out. Every query must see some key. Default 1.
   */
  readonly parts?: number;
  /** Rows per block of what comes after attention, where it is more than `rows`: a loop of its own in each of several parts. */
  readonly rowsAlone?: number;
  /** Whether the number of blocks is part of the graph, as devices without loops need it; default false. */
  readonly fixed?: boolean;
}

/** A graph in blocks, and what it is fed besides its own inputs. */
export interface InBlocks {
  readonly outputs: Readonly<Record<string, Value>>;
  readonly feeds: Readonly<Record<string, Tensor>>;
  /** What is put together from the rows of its loops. */
  readonly joins: readonly Join[];
}

const names = { rows: "blocks.rows", alone: "blocks.alone", real: "blocks.real", all: "blocks.all" } as const;

/** Blocks that one loop goes through. */
interface Part {
  readonly first: number;
  readonly count: number;
  /** How many keys its queries read; undefined where all. */
  readonly keys: number | undefined;
}

/** Blocks in parts of about the same number. */
function partsOf(count: number, parts: number, size: number, length: number): readonly Part[] {
  const bounds = Array.from({ length: parts + 1 }, (_, i) => Math.round((i * count) / parts));
  return bounds.slice(0, -1).flatMap((first, i) => {
    const end = bounds[i + 1];
    return end === first ? [] : [{ first, count: end - first, keys: Math.min(end * size, length) }];
  });
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
  const { word, length, keep = () => false, narrow = 256, parts = 1, rowsAlone = 0, fixed = false } = options;
  if (!Number.isInteger(options.rows) || options.rows < 1) {
    throw new OptionError(`blocks: rows must be a whole number of at least 1, got ${options.rows}`);
  }
  const size = Math.min(options.rows, length);
  const count = Math.ceil(length / size);
  const isFull = count * size === length;
  const { outputs } = programOf(given);
  const plan = planBlocks(Object.values(outputs), { word, keep, narrow });
  const every: Part = { first: 0, count, keys: undefined };
  const backwards = partsOf(count, parts, size, length);
  const all = input(names.all, "int32", [word]);
  const feeds: Record<string, Tensor> = {};
  const known = new Map<Part, { readonly times: Dim; readonly over: Record<string, Value> }>();
  /** What the loop over a part goes through, in every stage. */
  const overOf = (part: Part): { readonly times: Dim; readonly over: Record<string, Value> } => {
    if (!known.has(part)) known.set(part, madeOver(part));
    return known.get(part)!;
  };
  const madeOver = ({ first, count: own, keys }: Part): { times: Dim; over: Record<string, Value> } => {
    const times: Dim = fixed || keys !== undefined ? own : "blocks";
    const suffix = keys === undefined ? "" : `.${first}`;
    Object.assign(feeds, feedsOf(suffix, { length, size, first, count: own }));
    return {
      times,
      over: {
        rows: input(`${names.rows}${suffix}`, "int32", [times, size]),
        ...(isFull ? {} : { real: input(`${names.real}${suffix}`, "bool", [times, size]) }),
      },
    };
  };

  /** The loop over larger blocks of a part, of what needs no table of pairs. */
  const aloneOf = ({ first, count: own }: Part) => {
    const [from, end] = [first * size, Math.min((first + own) * size, length)];
    const [many, count] = [Math.min(rowsAlone, end - from), end - from];
    const times = Math.ceil(count / many);
    const name = `${names.alone}.${first}`;
    const places = Int32Array.from({ length: times * many }, (_, t) => Math.min(from + t, end - 1));
    feeds[name] = new Tensor("int32", [times, many], places);
    return {
      times,
      over: { rows: input(name, "int32", [times, many]) },
      made: { times, first: from, size: many, count },
    };
  };

  const joins: Join[] = [];
  const finished = new Map<Value, Value>();
  const whole = (x: Value): Value => finished.get(x)!;
  const settle = (stage: number): void => {
    for (const x of plan.order) {
      const place = plan.places.get(x)!;
      if (place.kind !== "outside" || place.stage > stage || finished.has(x)) continue;
      if (x.inputs.every((own) => finished.has(own))) finished.set(x, rewired(x, x.inputs.map(whole)));
    }
  };
  // Products read a transposed weight in place; beside the weight its transpose would take as much memory again.
  const inTurns = fixed ? {} : { ownInTurns: isTransposedWeight };
  /** Adds what a part gives after its tables of pairs. */
  const aloneIn = (part: Part, { stage, after, made, clipped }: AloneParts): void => {
    const { times, over, made: form } = aloneOf(part);
    const given = new Map(after.from.map((x) => [x, strip(x, axisOf(plan, x), word, made.get(x)!)]));
    const { collected } = repeat(
      times,
      {},
      (_, slices) => {
        const block: Block = { rows: slices["rows"], real: undefined };
        const local = build.sub(block.rows, build.scalar(form.first, "int32"));
        const own = { given, rows: local };
        const body = bodyOf({ plan, stage, word, size: form.size, whole, clipped, keys: part.keys, block, own });
        const rows = after.results.map((x, i) => [`${i}`, body.rows(x, axisOf(plan, x))]);
        return { next: {}, collect: Object.fromEntries(rows) as Record<string, Value> };
      },
      { over, ...inTurns },
    );
    after.results.forEach((x, i) => made.set(x, { value: collected[`${i}`], ...form }));
  };
  plan.results.forEach((wanted, stage) => {
    settle(stage);
    if (wanted.size === 0) return;
    const folds = [...wanted].filter((x) => plan.places.get(x)!.kind === "fold");
    const rows = [...wanted].filter((x) => !folds.includes(x));
    const isPart = backwards.length > 1 && readsBackwards(plan, stage, word);
    const stageParts = isPart ? backwards : [every];
    const after: Alone = isPart && rowsAlone > size ? alone(plan, stage, rows, word) : { results: [], from: [] };
    const inLoop = [...new Set([...rows.filter((x) => !after.results.includes(x)), ...after.from])];
    let states = folds.map((x) => initial(x, plan, word, stageParts.at(-1)!.keys));
    // From the part with most keys to the one with fewest, each going on from what the one before has folded and cut: the
    // memory that the first took is enough for all.
    let clipped = whole;
    const runs = stageParts.toReversed().map((part) => {
      const { times, over } = overOf(part);
      const { keys } = part;
      clipped = clippedTo(keys, word, clipped);
      const own = clipped;
      const start = Object.fromEntries(states.map((state, i) => [`${i}`, upTo(state, folds[i], word, keys)]));
      const { last, collected } = repeat(
        times,
        start,
        (state, slices) => {
          const block: Block = { rows: slices["rows"], real: slices["real"] };
          const body = bodyOf({ plan, stage, word, size, whole, clipped: own, keys, block });
          return {
            next: Object.fromEntries(folds.map((x, i) => [`${i}`, body.folded(x, state[`${i}`])])),
            collect: Object.fromEntries(inLoop.map((x, i) => [`${i}`, body.rows(x, axisOf(plan, x))])),
          };
        },
        { over, ...inTurns },
      );
      states = states.map((state, i) => followedBy(last[`${i}`], state, folds[i], word));
      const first = part.first * size;
      const made = new Map<Value, Made>();
      const count = Math.min(part.count * size, length - first);
      inLoop.forEach((x, i) => made.set(x, { value: collected[`${i}`], times, first, size, count }));
      if (after.results.length > 0) aloneIn(part, { stage, after, made, clipped: own });
      return made;
    });
    runs.reverse();
    folds.forEach((x, i) => {
      const axis = isPart ? x.shape.indexOf(word) : -1;
      const full = axis < 0 ? states[i] : build.gather(states[i], all, axis);
      finished.set(x, labelled(x, build.cast(full, x.dtype)));
    });
    rows.forEach((x) => {
      const axis = axisOf(plan, x);
      const own = runs.map((made) => made.get(x)!);
      const strips = own.map((made) => strip(x, axis, word, made));
      const long = strips.length === 1 ? strips[0] : build.concat(strips, axis + 1);
      const value = labelled(x, build.reshape(build.gather(long, all, axis + 1), x.shape));
      finished.set(x, value);
      joins.push({ value, axis, strips: own });
    });
  });
  settle(plan.results.length);
  return {
    outputs: Object.fromEntries(Object.entries(outputs).map(([name, value]) => [name, whole(value)])),
    feeds: { ...feeds, ...feedsOfAll(length) },
    joins,
  };
}

function axisOf({ places }: BlockPlan, x: Value): number {
  const place = places.get(x)!;
  return place.kind === "rows" ? place.axis : NaN;
}

const isTransposedWeight = ({ op, inputs }: Value): boolean =>
  op === "Transpose" && inputs[0].source?.kind === "weight" && inputs[0].shape.length === 2;

interface Rows {
  readonly length: number;
  readonly size: number;
  readonly first: number;
  readonly count: number;
}

function feedsOf(suffix: string, { length, size, first, count }: Rows): Readonly<Record<string, Tensor>> {
  const places = Int32Array.from({ length: count * size }, (_, t) => first * size + t);
  const shape = [count, size];
  return {
    [`${names.rows}${suffix}`]: new Tensor(
      "int32",
      shape,
      places.map((t) => Math.min(t, length - 1)),
    ),
    [`${names.real}${suffix}`]: new Tensor(
      "bool",
      shape,
      Uint8Array.from(places, (t) => (t < length ? 1 : 0)),
    ),
  };
}

function feedsOfAll(length: number): Readonly<Record<string, Tensor>> {
  return {
    [names.all]: new Tensor(
      "int32",
      [length],
      Int32Array.from({ length }, (_, t) => t),
    ),
  };
}

const isSum = (x: Value, { places }: BlockPlan): boolean => {
  const place = places.get(x)!;
  return place.kind === "fold" && place.fold.kind === "sum";
};

/** What a fold starts from: sums are carried in float64. */
function initial(x: Value, plan: BlockPlan, word: string, keys: number | undefined): Value {
  const dtype = isSum(x, plan) && x.dtype === "float32" ? "float64" : x.dtype;
  const start = build.scalar(isSum(x, plan) ? 0 : mostNegative, dtype);
  return build.expand(start, endingAt(x.shape, word, keys));
}

/** A fold up to so many keys. */
function upTo(state: Value, { shape }: Value, word: string, keys: number | undefined): Value {
  const axis = shape.indexOf(word);
  return keys === undefined || axis < 0 || state.shape[axis] === keys ? state : build.slice(state, axis, 0, keys);
}

/** A fold up to some keys, and at the keys after them what was folded before. */
function followedBy(last: Value, before: Value, { shape }: Value, word: string): Value {
  const axis = shape.indexOf(word);
  if (axis < 0 || last.shape[axis] === before.shape[axis]) return last;
  const rest = build.slice(before, axis, last.shape[axis] as number, before.shape[axis] as number);
  return build.concat([last, rest], axis);
}

/** What is there before a loop, up to the keys that the loop reads, cut from what the loop before it reads. */
function clippedTo(keys: number | undefined, word: string, before: (x: Value) => Value): (x: Value) => Value {
  const made = new Map<Value, Value>();
  return (x) => {
    const axis = x.shape.indexOf(word);
    if (keys === undefined || axis < 0) return before(x);
    if (!made.has(x)) made.set(x, build.slice(before(x), axis, 0, keys));
    return made.get(x)!;
  };
}

/** What a part gives after its tables of pairs, and what it is made from. */
interface AloneParts {
  readonly stage: number;
  readonly after: Alone;
  readonly made: Map<Value, Made>;
  readonly clipped: (x: Value) => Value;
}
