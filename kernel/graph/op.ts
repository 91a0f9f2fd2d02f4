import type { Build } from "./builder.js";
import type { Attributes, Type, Value } from "./value.js";

/** A tensor of the float64 reference: integers and booleans are held as numbers too. */
export interface Dense {
  readonly shape: readonly number[];
  readonly data: Float64Array;
}

/**
 * How an attribute is written in ONNX. `dims` (which may hold axis words) and `axes` become int64 operands of the ONNX
 * node, and so does `scalar`, which is one number without axes.
 */
export type AttributeKind = "int" | "float" | "ints" | "string" | "dtype" | "dims" | "axes" | "scalar";

/** All rules of one operator. */
export interface Operator {
  /** Fewest and most inputs. */
  readonly arity: readonly [number, number];
  readonly attributes?: Readonly<Record<string, AttributeKind>>;
  /** Which of the ONNX node's results this one is; default the first. */
  readonly result?: number;
  /** Shape and dtype of the result; throws ShapeError where the operands do not fit. */
  readonly infer: (inputs: readonly Value[], attributes: Attributes) => Type;
  /** Plain loops in float64; axis words in the attributes are bound to sizes already. */
  readonly reference: (inputs: readonly Dense[], attributes: Attributes) => Dense;
  /** One cotangent per input, undefined where the input has no gradient. */
  readonly vjp: (build: Build, d: Value, node: Value) => readonly (Value | undefined)[];
}

export function numberOf(attributes: Attributes, name: string): number {
  return attributes[name] as number;
}

export function numbersOf(attributes: Attributes, name: string): readonly number[] {
  return attributes[name] as readonly number[];
}
