import { FormatError, UnsupportedError } from "../tensor/index.js";
import type { Dim, SymbolicShape } from "./dims.js";
import { productOf, quotientOf } from "./dims.js";

/** What stands under a name while sizes are computed in the graph: a list of sizes, or one of them as a scalar. */
export interface Sizes {
  readonly dims: readonly Dim[];
  readonly scalar: boolean;
}

const longest = 64;

/** Attributes of a node as plain numbers. */
export interface NumberAttributes {
  readonly int: (name: string, otherwise: number) => number;
}

/**
 * The sizes that a node computes from sizes, as exported models do before a Reshape; undefined where it does not.
 *
 * Throws   FormatError where a list would grow beyond any shape
 */
export function sizesOf(
  op: string,
  inputs: readonly (Sizes | undefined)[],
  { int }: NumberAttributes,
): Sizes | undefined {
  if (inputs.length === 0 || inputs.some((entry) => entry === undefined)) return undefined;
  const [first, second] = inputs as readonly Sizes[];
  switch (op) {
    case "Identity":
    case "Cast":
      return first;
    case "Concat": {
      const dims = (inputs as readonly Sizes[]).flatMap((entry) => entry.dims);
      if (dims.length > longest) throw new FormatError(`a shape of ${dims.length} axes`);
      return { dims, scalar: false };
    }
    case "Mul":
      if (first.dims.length !== 1 || second?.dims.length !== 1) return undefined;
      return { dims: [productOf([first.dims[0], second.dims[0]])], scalar: first.scalar && second.scalar };
    case "Unsqueeze":
      return first.scalar ? { dims: first.dims, scalar: false } : undefined;
    case "Squeeze":
      return first.dims.length === 1 ? { dims: first.dims, scalar: true } : undefined;
    case "Gather": {
      const chosen = second.dims.map((at) => (typeof at === "number" ? first.dims.at(at) : undefined));
      if (int("axis", 0) !== 0 || chosen.some((dim) => dim === undefined)) return undefined;
      return { dims: chosen as readonly Dim[], scalar: second.scalar };
    }
    default:
      return undefined;
  }
}

/**
 * The shape that a Reshape asks for: 0 copies an axis, −1 takes what is left.
 *
 * Throws   FormatError where that is no shape; UnsupportedError where sizes known only at run time decide it
 */
export function reshapeTarget(from: SymbolicShape, target: readonly Dim[], copyZero: boolean): SymbolicShape {
  const copied = target.map((dim, axis) => (dim === 0 && copyZero ? from[axis] : dim));
  const open = copied.filter((dim) => dim === -1).length;
  if (open > 1 || copied.some((dim) => dim === undefined || (typeof dim === "number" && dim < -1))) {
    throw new FormatError(`[${target.join(",")}] is no shape for [${from.join(",")}]`);
  }
  if (open === 0) return copied;
  const rest = productOf(copied.filter((dim) => dim !== -1));
  const left = quotientOf(productOf(from), rest);
  if (left === undefined) throw new UnsupportedError(`[${from.join(",")}] cannot be split into [${target.join(",")}]`);
  return copied.map((dim) => (dim === -1 ? left : dim));
}
