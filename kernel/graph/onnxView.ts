import type { DType } from "../tensor/index.js";
import { UnsupportedError } from "../tensor/index.js";
import type { Dim } from "./dims.js";
import type { Value } from "./value.js";

/** One node of a file, with its operands found and its attributes at hand. */
export interface NodeView {
  readonly op: string;
  /** Number of operands that are given. */
  readonly count: number;
  readonly resultCount: number;
  readonly isLeftOut: (i: number) => boolean;
  /** Operand `i`; throws FormatError where it is left out. */
  readonly value: (i: number) => Value;
  /** Operand `i` as sizes known when the graph is built, or undefined where it is left out. */
  readonly sizes: (i: number) => readonly Dim[] | undefined;
  readonly int: (name: string, otherwise: number) => number;
  readonly float: (name: string, otherwise: number) => number;
  readonly text: (name: string, otherwise: string) => string;
  readonly ints: (name: string) => readonly number[] | undefined;
  readonly dtype: (name: string) => DType;
}

/** Refuses an attribute that changes what the operator means. */
export function only(view: NodeView, name: string, expected: number): void {
  const got = view.int(name, expected);
  if (got !== expected) throw new UnsupportedError(`attribute "${name}" = ${got} is not handled; expected ${expected}`);
}

export function numbers(dims: readonly Dim[] | undefined): readonly number[] | undefined {
  const symbolic = dims?.find((dim) => typeof dim !== "number");
  if (symbolic !== undefined) throw new UnsupportedError(`"${symbolic}" is known only when the graph runs`);
  return dims as readonly number[] | undefined;
}
