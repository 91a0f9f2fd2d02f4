import { UnsupportedError } from "../../tensor/index.js";
import { mentions, productOf, quotientOf } from "../dims.js";
import { linearise } from "../order.js";
import type { Value } from "../value.js";
import type { Cuts, Fold } from "./rows.js";
import { cutsOf, foldOf } from "./rows.js";

/** What is cut, and what is not worth cutting. */
export interface PlanOptions {
  /** The axis word whose rows are computed in blocks. */
  readonly word: string;
  /** Values that are kept between loops rather than computed again: the narrow places of a graph. */
  readonly keep: (value: Value) => boolean;
  /** What has at most so many numbers in a row is computed whole, where nothing before it is in blocks. */
  readonly narrow: number;
}

/**
 * How a value is computed: outside of all loops; by rows, inside the loop of a stage; or folded over the rows of a stage.
 * `stage` is that of the loop for `rows` and `fold`, and the number of loops that come before it for `outside`.
 */
export type Place =
  | { readonly kind: "outside"; readonly stage: number }
  | { readonly kind: "rows"; readonly stage: number; readonly axis: number }
  | { readonly kind: "fold"; readonly stage: number; readonly fold: Fold };

export interface BlockPlan {
  /** Operands before what uses them. */
  readonly order: readonly Value[];
  readonly places: ReadonlyMap<Value, Place>;
  /** What each loop gives: rows put together, and folds. */
  readonly results: readonly ReadonlySet<Value>[];
  /** How a loop comes by rows of a value along an axis: cut out of the whole, or computed from these cuts of its operands. */
  readonly rowsOf: (value: Value, axis: number, stage: number) => "whole" | Cuts;
}

/** Whether a value is a table of pairs: two of its axes grow with the word. */
export function isPairs({ shape }: Value, word: string): boolean {
  return shape.filter((dim) => mentions(dim, word)).length > 1;
}

/** Numbers in one row; axes whose size is known only at run time count once. */
function rowSize({ shape }: Value, word: string): number {
  const sizes = shape.map((dim) => (typeof dim === "number" ? dim : quotientOf(dim, word)));
  return productOf(sizes.filter((size) => typeof size === "number")) as number;
}

/** Numbers in a row that is held as a whole rather than what it follows from. */
const slimRow = 128;

/** When a value is there as a whole. */
const readyAt = (place: Place): number => (place.kind === "outside" ? place.stage : place.stage + 1);

/**
 * Decides where each value is computed, and what each loop has to give.
 *
 * Throws   UnsupportedError where something needs all rows of a table of pairs at once
 */
export function planBlocks(outputs: readonly Value[], { word, keep, narrow }: PlanOptions): BlockPlan {
  const order = linearise(outputs);
  const places = new Map<Value, Place>();
  const placeOf = (x: Value): Place => places.get(x)!;
  const isPair = (x: Value): boolean => isPairs(x, word);
  /** Rows that follow from what is whole, or kept, without any table of pairs: they are computed again where needed. */
  const cheap = new Set<Value>();
  /** A number per head, as norms of values are, is held itself: what it follows from need not be, until all layers have theirs. */
  const isWorthAgain = (x: Value): boolean => rowSize(x, word) > slimRow;
  const isKept = (x: Value): boolean => keep(x) && !cheap.has(x);

  const refuse = ({ op, label }: Value): never => {
    const name = label === undefined ? op : `${op} ("${label}")`;
    throw new UnsupportedError(`blocks: ${name} needs all rows of an attention pattern at once; run it without blocks`);
  };
  /** The cuts of a table of pairs along an axis that is not its own. */
  const otherCuts = (x: Value, axis: number): Cuts => cutsOf(x, axis) ?? refuse(x);
  /** The first loop that can have rows of a value. */
  const stageOf = (x: Value, axis: number | undefined): number => {
    const place = placeOf(x);
    if (place.kind !== "rows" || axis === undefined || isKept(x)) {
      if (place.kind === "rows" && isPair(x)) refuse(x);
      return readyAt(place);
    }
    if (place.axis === axis) return place.stage;
    return isPair(x) ? stageFrom(x, otherCuts(x, axis)) : readyAt(place);
  };
  const stageFrom = ({ inputs }: Value, cuts: Cuts): number =>
    Math.max(0, ...inputs.map((x, i) => stageOf(x, cuts[i])));
  const inRows = (value: Value, axis: number, cuts: Cuts): Place => {
    const rows = value.inputs.filter((x, i) => cuts[i] !== undefined && placeOf(x).kind === "rows");
    if (!isPair(value) && rows.every((x) => isKept(x) || cheap.has(x))) cheap.add(value);
    return { kind: "rows", stage: stageFrom(value, cuts), axis };
  };

  const decide = (value: Value): Place => {
    const { inputs, shape, op } = value;
    const outside: Place = { kind: "outside", stage: Math.max(0, ...inputs.map((x) => readyAt(placeOf(x)))) };
    if (op === "") return outside;
    const axes = shape.flatMap((dim, axis) => (quotientOf(dim, word) === undefined ? [] : [axis]));
    const cut = inputs.flatMap((x, i) => {
      const place = placeOf(x);
      return place.kind === "rows" ? [{ i, at: place.axis, isPair: isPair(x) }] : [];
    });
    if (cut.length === 0) {
      if (axes.length < 2 && (axes.length === 0 || rowSize(value, word) <= narrow)) return outside;
      for (const axis of axes) {
        const cuts = cutsOf(value, axis);
        if (cuts) return inRows(value, axis, cuts);
      }
    }
    for (const { i, at } of cut.sort((a, b) => Number(b.isPair) - Number(a.isPair))) {
      for (const axis of axes) {
        const cuts = cutsOf(value, axis);
        if (cuts?.[i] === at) return inRows(value, axis, cuts);
      }
      const fold = foldOf(value, i, at);
      if (fold) return { kind: "fold", stage: stageFrom(value, fold.cuts), fold };
    }
    if (isPair(value) || cut.some((x) => x.isPair)) refuse(value);
    return outside;
  };
  for (const value of order) places.set(value, decide(value));

  const last = Math.max(0, ...order.map((x) => readyAt(placeOf(x))));
  const results = Array.from({ length: last }, () => new Set<Value>());
  const rowsOf: BlockPlan["rowsOf"] = (x, axis, stage) => {
    const place = placeOf(x);
    if (place.kind !== "rows") return "whole";
    // What is kept and yet cheap, as embeddings are, is only handed on as a whole: it need not be held for a later loop.
    const isThere = results[place.stage].has(x) && !(keep(x) && cheap.has(x));
    if (place.stage < stage && (isThere || (!isPair(x) && !(cheap.has(x) && isWorthAgain(x))))) return "whole";
    if (place.axis !== axis && !isPair(x)) return "whole";
    return otherCuts(x, axis);
  };
  const isAsked = new Set<Value>();
  const askWhole = (x: Value): void => {
    if (isAsked.has(x)) return;
    isAsked.add(x);
    const place = placeOf(x);
    if (place.kind === "outside") x.inputs.forEach(askWhole);
    else results[place.stage].add(x);
  };
  outputs.forEach(askWhole);
  // From the last loop to the first: what one reads whole of an earlier one, that one gives.
  for (let stage = last - 1; stage >= 0; stage--) {
    const seen = new Set<string>();
    const ids = new Map<Value, number>();
    const ask = (x: Value, axis: number | undefined): void => {
      const cuts = axis === undefined ? "whole" : rowsOf(x, axis, stage);
      if (cuts === "whole") return askWhole(x);
      if (!ids.has(x)) ids.set(x, ids.size);
      const key = `${ids.get(x)} ${axis}`;
      if (seen.has(key)) return;
      seen.add(key);
      x.inputs.forEach((own, i) => ask(own, cuts[i]));
    };
    for (const x of results[stage]) {
      const place = placeOf(x);
      if (place.kind === "fold") x.inputs.forEach((own, i) => ask(own, place.fold.cuts[i]));
      else if (place.kind === "rows") ask(x, place.axis);
    }
  }
  return { order, places, results, rowsOf };
}
