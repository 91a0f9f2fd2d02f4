import { formatShape, ShapeError } from "../tensor/index.js";

/** A dimension: a number, an axis word such as `"batch"`, a product such as `"2*query"`, or a sum such as `"(past+1)"`. */
export type Dim = number | string;

export type SymbolicShape = readonly Dim[];

interface Monomial {
  readonly factor: number;
  readonly words: readonly string[];
}

/** The parts of a dimension between signs that stand outside of brackets. */
function partsOf(dim: string, sign: "*" | "+"): string[] {
  const parts = [""];
  let depth = 0;
  for (const letter of dim) {
    depth += letter === "(" ? 1 : letter === ")" ? -1 : 0;
    if (letter === sign && depth === 0) parts.push("");
    else parts[parts.length - 1] += letter;
  }
  return parts;
}

/** The terms of a word that is a sum; undefined for a plain word. */
function termsOf(word: string): string[] | undefined {
  return word.startsWith("(") ? partsOf(word.slice(1, -1), "+") : undefined;
}

/** A dimension as a monomial; a sum counts as one word. */
function monomialOf(dim: Dim): Monomial {
  if (typeof dim === "number") return { factor: dim, words: [] };
  const parts = partsOf(dim, "*");
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

/** How a dimension that is no plain word is computed from others. */
export function termsAndFactors(dim: string): { readonly op: "Add" | "Mul"; readonly parts: readonly Dim[] } {
  const terms = termsOf(dim);
  const parts = (terms ?? partsOf(dim, "*")).map((part) => (/^\d+$/.test(part) ? Number(part) : part));
  return { op: terms ? "Add" : "Mul", parts };
}

/** The sum of dimensions; words are kept: `["past", 1, 2]` → `"(past+3)"`. */
export function sumOf(dims: SymbolicShape): Dim {
  const terms = dims.flatMap((dim) => termsOf(String(dim)) ?? [String(dim)]);
  const isNumber = (term: string): boolean => /^\d+$/.test(term);
  const number = terms.filter(isNumber).reduce((sum, term) => sum + Number(term), 0);
  const words = terms.filter((term) => !isNumber(term)).sort();
  if (words.length === 0) return number;
  const all = number === 0 ? words : [...words, String(number)];
  return all.length === 1 ? all[0] : `(${all.join("+")})`;
}

/**
 * A shape with its axis words replaced by sizes.
 *
 * Throws   ShapeError on a word without a size
 */
export function bindShape(place: string, shape: SymbolicShape, sizes: Readonly<Record<string, number>>): number[] {
  const sizeOfDim = (dim: Dim): number => {
    const { factor, words } = monomialOf(dim);
    return words.reduce((product, word) => {
      const terms = termsOf(word);
      if (terms) return product * terms.reduce((sum, term) => sum + sizeOfDim(term), 0);
      if (!Object.hasOwn(sizes, word)) {
        throw new ShapeError(`${place}: no input gives the size of axis "${word}" in shape ${formatShape(shape)}`);
      }
      return product * sizes[word];
    }, factor);
  };
  return shape.map(sizeOfDim);
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

/** Whether a word is part of a dimension, as a factor or inside of a sum. */
export function mentions(dim: Dim, word: string): boolean {
  return String(dim)
    .split(/[*+()]/)
    .includes(word);
}
