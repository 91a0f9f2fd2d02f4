import { build } from "../build.js";
import { numbersOf } from "../op.js";
import type { Program } from "../program.js";
import { programOf } from "../program.js";
import { rewired } from "../rewrite.js";
import type { Value } from "../value.js";
import { cutsOf, elementwiseOps } from "./rows.js";

/** Of each row of a value's first axis the one place on another axis that is read. */
interface Reading {
  /** Row and place, [B,2]. */
  readonly rows: Value;
  readonly axis: number;
}

/** How a value is computed where it is read: what is cut of each operand, along the read axis and along the first. */
interface Step extends Reading {
  readonly places: readonly (number | undefined)[];
  readonly firsts: readonly (number | undefined)[];
}

const isReading = ({ op, inputs: [x, rows] }: Value): boolean =>
  op === "GatherND" && rows.shape.length === 2 && rows.shape[1] === 2 && rows.shape[0] === x.shape[0];

/** How a value is computed at places of its rows alone; undefined where its operator needs more than those. */
function stepOf(value: Value, { rows, axis }: Reading): Step | undefined {
  const { op, inputs, shape } = value;
  const [places, firsts] = [cutsOf(value, axis), cutsOf(value, 0)];
  if (!places || !firsts) return undefined;
  // What is the same in all rows can be spread over them where operands stretch.
  const stretches = elementwiseOps.has(op) || (op === "MatMul" && shape.length > 2);
  const fits = inputs.every((x, i) => {
    const [place, first] = [places[i], firsts[i]];
    const isFirst = first === undefined || (first === 0 && x.shape[0] === shape[0]);
    const isPlace = place === undefined || x.shape[place] === shape[axis];
    return isFirst && isPlace && (place === undefined || (first === undefined ? stretches : place > 0));
  });
  return fits ? { rows, axis, places, firsts } : undefined;
}

/** The steps of all values of which nothing but some places are read. */
function stepsOf({ values, outputs }: Program): ReadonlyMap<Value, Step> {
  const steps = new Map<Value, Step>();
  const readings = new Map<Value, Reading | "whole">();
  const read = (x: Value, reading: Reading | "whole"): void => {
    const before = readings.get(x) ?? reading;
    const isSame =
      before !== "whole" && reading !== "whole" && before.rows === reading.rows && before.axis === reading.axis;
    readings.set(x, isSame ? before : "whole");
  };
  Object.values(outputs).forEach((value) => read(value, "whole"));
  for (const value of values.toReversed()) {
    const reading = readings.get(value)!;
    const step = reading === "whole" ? undefined : stepOf(value, reading);
    if (step) steps.set(value, step);
    value.inputs.forEach((x, i) => {
      const place = step?.firsts[i] === 0 ? step.places[i] : undefined;
      if (step && place !== undefined) read(x, { rows: step.rows, axis: place });
      else read(x, i === 0 && isReading(value) ? { rows: value.inputs[1], axis: 1 } : "whole");
    });
  }
  return steps;
}

/** A column of row numbers and places, [B]. */
const column = (rows: Value, at: number): Value => build.gather(rows, build.scalar(at, "int64"), 1);

/** Of each row one place on an axis, which stays. Shapes: [B,…,Q,…] → [B,…,1,…] */
function placesOf(x: Value, rows: Value, axis: number): Value {
  const others = x.shape.flatMap((_, i) => (i === 0 || i === axis ? [] : [i]));
  const turned = axis === 1 ? x : build.transpose(x, [0, axis, ...others]);
  return build.unsqueeze(build.gatherND(turned, rows), [axis]);
}

/** Places of what is the same in all rows. Shapes: [Q,…] or [1,…,Q,…] → [B,…,1,…] */
function spreadPlaces(x: Value, rows: Value, axis: number, rank: number): Value {
  const missing = Array.from({ length: rank - x.shape.length }, (_, i) => i);
  const full = missing.length > 0 ? build.unsqueeze(x, missing) : x;
  const picked = build.gather(full, column(rows, 1), axis);
  const perm = picked.shape.map((_, i) => (i === 0 ? axis : i === axis ? 0 : i));
  return build.transpose(picked, perm);
}

/**
 * The same program with places picked early: a value that is read at one place per row alone (the last token of each prompt)
 * is computed there alone, and so is what comes before it, as far as operators keep places apart. Of a transformer's last layer
 * only keys and values stay whole.
 *
 * Range    as before, but for the order of sums
 * Example  earlyRows(programOf({ last: build.gatherND(lastHidden, rows) }))
 */
export function earlyRows(program: Program): Program {
  if (!program.values.some(isReading)) return program;
  const steps = stepsOf(program);
  if (steps.size === 0) return program;
  const made = new Map<Value, Value>();
  const of = (x: Value): Value => made.get(x)!;
  /** Rows of an operand that has no places; under a transpose, so that products still read it in place. */
  const rowsOf = (x: Value, rows: Value): Value => {
    const pick = (own: Value): Value => build.gather(own, column(rows, 0), 0);
    const isUnder = x.op === "Transpose" && numbersOf(x.attributes, "perm")[0] === 0;
    return isUnder ? build.apply("Transpose", [pick(of(x.inputs[0]))], x.attributes) : pick(of(x));
  };
  const atPlaces = (value: Value, { rows, axis, places, firsts }: Step): Value => {
    const operands = value.inputs.map((x, i) => {
      const place = places[i];
      if (place === undefined) return firsts[i] === undefined ? of(x) : rowsOf(x, rows);
      if (firsts[i] === undefined) return spreadPlaces(of(x), rows, axis, value.shape.length);
      return steps.has(x) ? of(x) : placesOf(of(x), rows, place);
    });
    const { label, attributes } = value;
    const own = "shape" in attributes ? { ...attributes, shape: value.shape.with(axis, 1) } : attributes;
    const written = build.apply(value.op, operands, own);
    return label === undefined ? written : build.named(label, written);
  };
  for (const value of program.values) {
    const step = steps.get(value);
    const [x] = value.inputs;
    if (step) made.set(value, atPlaces(value, step));
    else if (isReading(value) && steps.has(x)) made.set(value, build.squeeze(of(x), [1]));
    else made.set(value, rewired(value, value.inputs.map(of)));
  }
  return programOf(Object.fromEntries(Object.entries(program.outputs).map(([name, value]) => [name, of(value)])));
}
