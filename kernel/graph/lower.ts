import type { DType } from "../tensor/index.js";
import { UnsupportedError } from "../tensor/index.js";
import { build } from "./build.js";
import { narrowIntegers } from "./narrow.js";
import { composedGelu } from "./ops/gelu.js";
import { numberOf } from "./op.js";
import { originsOf, placeOf } from "./origins.js";
import { programOf } from "./program.js";
import { rewired, rewrite } from "./rewrite.js";
import { sine } from "./sine.js";
import type { Value } from "./value.js";

/** What a device cannot do. */
export interface DeviceGaps {
  readonly device: string;
  /** Whether there is no kernel for a value's operator on its element types, or none that is exact enough. */
  readonly lacks: (value: Value) => boolean;
}

/** The same numbers from other operators; undefined where none are known for these operands. */
type Composition = (inputs: readonly Value[], value: Value) => Value | undefined;

/** The nearest whole number, the even one of two that are equally near. */
function roundEven(x: Value): Value {
  const below = build.floor(x);
  const rest = build.sub(x, below);
  const half = build.mul(below, 0.5);
  const isOdd = build.greater(half, build.floor(half));
  const up = build.where(
    build.equal(rest, 0.5),
    build.cast(isOdd, x.dtype),
    build.cast(build.greater(rest, 0.5), x.dtype),
  );
  return build.add(below, up);
}

const compositions: Readonly<Record<string, Composition>> = {
  Or: ([a, b]) => build.not(build.and(build.not(a), build.not(b))),
  Neg: ([x]) => build.sub(0, x),
  Abs: ([x]) => build.where(build.less(x, 0), build.sub(0, x), x),
  Round: ([x]) => roundEven(x),
  Gelu: ([x], { attributes }) => composedGelu(build, x, attributes),
  LogSoftmax: ([x], { attributes }) => build.logSoftmax(x, numberOf(attributes, "axis")),
  Sin: ([x]) => (x.dtype === "float32" ? sine(x, 0) : undefined),
  Cos: ([x]) => (x.dtype === "float32" ? sine(x, 1) : undefined),
};

/** Operators that only move or compare elements, which may as well be wider ones. */
const movers = [
  ...["Identity", "Reshape", "Expand", "Transpose", "Unsqueeze", "Squeeze", "Concat", "Slice"],
  ...["Gather", "GatherND", "ScatterND", "Where", "Equal"],
];

const isSmall = ({ dtype }: { readonly dtype: DType }): boolean => dtype === "bool" || dtype === "uint8";

const widened: Composition = (inputs, { op, attributes, dtype }) => {
  const wide = inputs.map((x, i) => (isSmall(x) && !(op === "Where" && i === 0) ? build.cast(x, "int32") : x));
  if (!movers.includes(op) || wide.every((x, i) => x === inputs[i])) return undefined;
  return build.cast(build.apply(op, wide, attributes), dtype);
};

/** How a value's operator and element types are told, and what a device is asked about. */
export function signatureOf({ op, inputs, attributes, dtype }: Value): string {
  const kinds = Object.values(attributes).filter((held) => typeof held === "string" && held !== dtype);
  const from = inputs.map((x) => x.dtype).join(", ");
  return `${[op, ...kinds].join(" ")} (${from} → ${dtype})`;
}

function missing(values: readonly Value[], origins: ReadonlyMap<Value, string>, device: string): UnsupportedError {
  const [first] = values;
  const others = [...new Set(values.map(signatureOf))].filter((name) => name !== signatureOf(first));
  const more = others.length > 0 ? `; nor for ${others.join("; ")}` : "";
  const cause = placeOf(first);
  return new UnsupportedError(
    `compile: ${device} has no kernel for ${signatureOf(first)}, used for "${origins.get(first)!}"${more}; use device "cpu"`,
    cause && { cause },
  );
}

/**
 * The same outputs without the operators that a device lacks.
 *
 * Throws   UnsupportedError with the operator, and what it is used for, where no composition of others is known
 */
export function lower(
  outputs: Readonly<Record<string, Value>>,
  gaps: DeviceGaps,
  isNarrow = false,
): Readonly<Record<string, Value>> {
  const { device, lacks } = gaps;
  const composed = rewrite(outputs, (value, inputs) => {
    const same = rewired(value, inputs);
    if (!value.op || !lacks(same)) return same;
    return compositions[value.op]?.(inputs, value) ?? widened(inputs, value) ?? same;
  });
  const program = programOf(composed);
  const lacking = program.values.filter((value) => value.op && lacks(value));
  if (lacking.length === 0) return composed;
  const hasLong = lacking.some(({ dtype, inputs }) => dtype === "int64" || inputs.some((x) => x.dtype === "int64"));
  if (hasLong && !isNarrow) return lower(narrowIntegers(outputs), gaps, true);
  throw missing(lacking, originsOf(program), device);
}
