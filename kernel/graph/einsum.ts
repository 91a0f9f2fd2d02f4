import { parseEinsum } from "../tensor/index.js";
import type { Build } from "./builder.js";
import { productOf } from "./dims.js";
import type { Value } from "./value.js";

/** A value with a letter per axis. */
interface Labelled {
  readonly value: Value;
  readonly letters: readonly string[];
}

function arrange(build: Build, { value, letters }: Labelled, order: readonly string[]): Value {
  const permutation = order.map((letter) => letters.indexOf(letter));
  return permutation.every((from, to) => from === to) ? value : build.transpose(value, permutation);
}

/** Axes of one letter as a single axis: everything off their diagonal is cleared, then summed away. */
function diagonal(build: Build, labelled: Labelled): Labelled {
  const { value, letters } = labelled;
  const repeated = letters.find((letter, axis) => letters.indexOf(letter) !== axis);
  if (repeated === undefined) return labelled;
  const [first, second] = [...letters.keys()].filter((axis) => letters[axis] === repeated);
  const others = [...letters.keys()].filter((axis) => axis !== first && axis !== second);
  const square = build.transpose(value, [...others, first, second]);
  const cleared = build.triangle(build.triangle(square), { upper: true });
  return diagonal(build, {
    value: build.reduceSum(cleared, [letters.length - 1]),
    letters: [...others, first].map((axis) => letters[axis]),
  });
}

/** Sums over the letters that are not kept. */
function reduce(build: Build, { value, letters }: Labelled, kept: readonly string[]): Labelled {
  const axes = letters.flatMap((letter, axis) => (kept.includes(letter) ? [] : [axis]));
  return {
    value: axes.length > 0 ? build.reduceSum(value, axes) : value,
    letters: letters.filter((letter) => kept.includes(letter)),
  };
}

/** The product of two values, summed over the letters that are not kept, as one MatMul. */
function multiply(build: Build, left: Labelled, right: Labelled, kept: readonly string[]): Labelled {
  const a = reduce(build, left, [...kept, ...right.letters]);
  const b = reduce(build, right, [...kept, ...left.letters]);
  const shared = a.letters.filter((letter) => b.letters.includes(letter));
  const batch = shared.filter((letter) => kept.includes(letter));
  const inner = shared.filter((letter) => !kept.includes(letter));
  const rows = a.letters.filter((letter) => !shared.includes(letter));
  const columns = b.letters.filter((letter) => !shared.includes(letter));
  const dimsOf = (letters: readonly string[]) =>
    letters.map((letter) =>
      a.letters.includes(letter) ? a.value.shape[a.letters.indexOf(letter)] : b.value.shape[b.letters.indexOf(letter)],
    );
  // Each group of letters becomes one axis of a matrix.
  const matrix = (x: Labelled, first: readonly string[], second: readonly string[]): Value => {
    const arranged = arrange(build, x, [...batch, ...first, ...second]);
    return first.length === 1 && second.length === 1
      ? arranged
      : build.reshape(arranged, [...dimsOf(batch), productOf(dimsOf(first)), productOf(dimsOf(second))]);
  };
  const product = build.matMul(matrix(a, rows, inner), matrix(b, inner, columns));
  const letters = [...batch, ...rows, ...columns];
  return {
    value: rows.length === 1 && columns.length === 1 ? product : build.reshape(product, dimsOf(letters)),
    letters,
  };
}

/**
 * Products summed over every axis that the output leaves out, as transposes, sums and matrix products; a letter that
 * repeats within an operand takes its diagonal.
 *
 * Throws   OptionError on a malformed expression; ShapeError where it does not fit
 */
export function einsum(build: Build, expression: string, operands: readonly Value[]): Value {
  const spec = parseEinsum(
    expression,
    operands.map(({ shape }) => shape),
  );
  const labelled = operands.map((value, i) => diagonal(build, { value, letters: spec.operands[i] }));
  const result = labelled.slice(1).reduce<Labelled>((left, right, i) => {
    const later = labelled.slice(i + 2).flatMap(({ letters }) => letters);
    return multiply(build, left, right, [...spec.output, ...later]);
  }, labelled[0]);
  return arrange(build, reduce(build, result, spec.output), spec.output);
}
