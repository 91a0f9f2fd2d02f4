import { OptionError, ShapeError } from "./errors.js";
import { formatShape } from "./shape.js";

/** An einsum expression taken apart: one letter per axis. */
export interface EinsumSpec<D extends number | string> {
  readonly operands: readonly (readonly string[])[];
  readonly output: readonly string[];
  /** What each letter stands for. */
  readonly sizes: ReadonlyMap<string, D>;
}

/**
 * Reads `"bhqd,bhkd->bhqk"`; without an arrow the output is every letter that occurs once, in alphabetical order.
 *
 * Throws   OptionError on a malformed expression; ShapeError where it does not fit the operands
 */
export function parseEinsum<D extends number | string>(
  expression: string,
  shapes: readonly (readonly D[])[],
): EinsumSpec<D> {
  const text = expression.replaceAll(" ", "");
  if (!/^[A-Za-z]*(,[A-Za-z]*)*(->[A-Za-z]*)?$/.test(text)) {
    throw new OptionError(`einsum: expected letters such as "bqd,bkd->bqk", got ${JSON.stringify(expression)}`);
  }
  const [left, right] = text.split("->") as [string, string | undefined];
  const operands = left.split(",").map((letters) => [...letters]);
  if (operands.length !== shapes.length) {
    throw new ShapeError(`einsum: "${expression}" takes ${operands.length} operands, got ${shapes.length}`);
  }
  const sizes = new Map<string, D>();
  operands.forEach((letters, i) => {
    if (letters.length !== shapes[i].length) {
      throw new ShapeError(`einsum: "${letters.join("")}" needs ${letters.length} axes, got ${formatShape(shapes[i])}`);
    }
    letters.forEach((letter, axis) => {
      const known = sizes.get(letter) ?? shapes[i][axis];
      if (known !== shapes[i][axis]) {
        const all = shapes.map(formatShape).join(" and ");
        throw new ShapeError(
          `einsum: axis "${letter}" is ${known} and ${shapes[i][axis]} in "${expression}" on ${all}`,
        );
      }
      sizes.set(letter, known);
    });
  });
  const count = (letter: string): number => operands.flat().filter((other) => other === letter).length;
  const output = right === undefined ? [...sizes.keys()].filter((l) => count(l) === 1).sort() : [...right];
  const wrong = output.find((letter, i) => !sizes.has(letter) || output.indexOf(letter) !== i);
  if (wrong !== undefined) {
    throw new OptionError(`einsum: output axis "${wrong}" must occur in an operand and once in the output`);
  }
  return { operands, output, sizes };
}
