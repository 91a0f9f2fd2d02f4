import { build } from "../build.js";
import type { Dim, SymbolicShape } from "../dims.js";
import { productOf, quotientOf } from "../dims.js";
import type { Attributes, Value } from "../value.js";
import type { BlockPlan } from "./plan.js";

/** What a maximum over rows starts from. */
export const mostNegative = -3.4028234663852886e38;

/** What holds the rows of a block: their positions, and which of them fill the last block up. */
export interface Block {
  readonly rows: Value;
  /** Undefined where the blocks are full. */
  readonly real: Value | undefined;
}

/** A value under the name of another. */
export function labelled({ label }: Value, value: Value): Value {
  return label === undefined ? value : build.named(label, value);
}

/** A shape that ends at so many keys. */
export const endingAt = (shape: SymbolicShape, word: string, keys: number | undefined): SymbolicShape =>
  keys === undefined ? shape : shape.map((dim) => (dim === word ? keys : dim));

export interface BodyParts {
  readonly plan: BlockPlan;
  readonly stage: number;
  readonly word: string;
  readonly size: number;
  /** What is there before the loop. */
  readonly whole: (x: Value) => Value;
  /** The same up to the keys that the loop reads. */
  readonly clipped: (x: Value) => Value;
  readonly keys: number | undefined;
  readonly block: Block;
  /** Rows that the loop before it has computed for this part, and which of these are those of the block. */
  readonly own?: { readonly given: ReadonlyMap<Value, Value>; readonly rows: Value };
}

/** What is written inside of a loop. */
export interface Body {
  /** Rows of a value along an axis, for this block. */
  readonly rows: (x: Value, axis: number) => Value;
  /** A fold after this block. */
  readonly folded: (x: Value, state: Value) => Value;
}

/** Writes values inside of a loop. */
export function bodyOf({ plan, stage, word, size, whole, clipped, keys, block, own: before }: BodyParts): Body {
  const made = new Map<string, Value>();
  const ids = new Map(plan.order.map((x, i) => [x, i]));
  const cutShape = (shape: SymbolicShape, axis: number): SymbolicShape =>
    endingAt(shape.with(axis, productOf([quotientOf(shape[axis], word)!, size])), word, keys);

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
    const given = before?.given.get(x);
    let value: Value;
    if (before && given) {
      value = build.reshape(build.gather(given, before.rows, axis + 1), cutShape(x.shape, axis));
    } else if (cuts === "whole") {
      value = taken(x, axis);
    } else {
      const operands = x.inputs.map((own, i) => (cuts[i] === undefined ? clipped(own) : rows(own, cuts[i])));
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
      if (axis === undefined) return clipped(own);
      return i === 0 ? counted(own, axis, kind === "sum" ? 0 : mostNegative) : rows(own, axis);
    });
    const part = build.apply(x.op, operands, x.attributes);
    return kind === "sum" ? build.add(state, build.cast(part, state.dtype)) : build.maximum(state, part);
  };
  return { rows, folded };
}
