import { formatShape, ShapeError } from "../tensor/index.js";

/** A dimension: a number, an axis word such as `"batch"`, or a product such as `"2*query"`. */
export type Dim = number | string;

export type SymbolicShape = readonly Dim[];

interface Monomial {
  readonly factor: number;
  readonly words: readonly string[];
}

function monomialOf(dim: Dim): Monomial {
  if (typeof dim === "number") return { factor: dim, words: [] };
  const parts = dim.split("*");
  const numbers = parts.filter((part) => /^\d+$/.test(part)).map(Number);
  return { factor: numbers.reduce((a, b) => a * b, 1), words: parts.filter((part) => !/^\d+$/.test(part)) };
}

function dimOf({ factor, words }: Monomial): Dim {
  if (words.length === 0 || factor === 0) return factor;
  return [...(factor === 1 ? [] : [String(factor)]), ...[...words].sort()].join("*");
}

/** The product of dimensions; words are kept: `["batch", 3, "query", 4]` → `"12*batch*query"`. */
export function productOf(dims: SymbolicShape): Dim {
  const parts = dims.map(monomialOf);
  return dimOf({
    factor: parts.reduce((product, { factor }) => product * factor, 1),
    words: parts.flatMap(({ words }) => words),
  });
}

/** The axis words a shape mentions, each once. */
export function wordsOf(shape: SymbolicShape): readonly string[] {
  return [...new Set(shape.flatMap((dim) => monomialOf(dim).words))];
}

/**
 * A shape with its axis words replaced by sizes.
 *
 * Throws   ShapeError on a word without a size
 */
export function bindShape(place: string, shape: SymbolicShape, sizes: Readonly<Record<string, number>>): number[] {
  return shape.map((dim) => {
    const { factor, words } = monomialOf(dim);
    return words.reduce((product, word) => {
      if (!Object.hasOwn(sizes, word)) {
        throw new ShapeError(`${place}: no input gives the size of axis "${word}" in shape ${formatShape(shape)}`);
      }
      return product * sizes[word];
    }, factor);
  });
}

/**
 * The shape that operands broadcast to: aligned at the last axis, 1 stretches.
 *
 * Throws   ShapeError where two dimensions differ and neither is 1
 */
export function broadcastShapes(place: string, ...shapes: readonly SymbolicShape[]): Dim[] {
  const rank = Math.max(...shapes.map((shape) => shape.length));
  return Array.from({ length: rank }, (_, axis) => {
    let dim: Dim = 1;
    for (const shape of shapes) {
      const own = shape[axis - rank + shape.length] ?? 1;
      if (own === 1 || own === dim) continue;
      if (dim !== 1) {
        throw new ShapeError(
          `${place}: shapes ${shapes.map(formatShape).join(" and ")} do not broadcast, got ${dim} and ${own} at axis ${axis - rank}`,
        );
      }
      dim = own;
    }
    return dim;
  });
}

/** What `part` must be multiplied with to give `whole`; undefined where it does not divide it. */
export function quotientOf(whole: Dim, part: Dim): Dim | undefined {
  const [total, divisor] = [monomialOf(whole), monomialOf(part)];
  const words = [...total.words];
  for (const word of divisor.words) {
    const at = words.indexOf(word);
    if (at < 0) return undefined;
    words.splice(at, 1);
  }
  const factor = total.factor / divisor.factor;
  return Number.isInteger(factor) ? dimOf({ factor, words }) : undefined;
}
