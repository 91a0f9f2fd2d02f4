import { expect } from "vitest";
import type { Attribute, Value } from "../../kernel/lib/graph/index.js";
import { build, constant, input } from "../../kernel/lib/graph/index.js";
import type { DType } from "../../kernel/lib/tensor/index.js";
import { isFloat, packNumbers, sizeOf, Tensor } from "../../kernel/lib/tensor/index.js";
import type { Operand, Sample } from "./samples.js";

/** Numbers that are the same on every machine; float32 holds them exactly, so both runs see the same operands. */
export function randomNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.fround(state / 2 ** 32);
  };
}

function numbersOf({ shape, dtype, range: [low, high], values }: Operand, random: () => number): number[] {
  if (values) return [...values];
  const draw = (): number => low + (high - low) * random();
  return Array.from({ length: sizeOf(shape) }, () =>
    isFloat(dtype) ? Math.fround(draw()) : Math.floor(draw()) % (dtype === "bool" ? 2 : 3),
  );
}

export interface Case {
  readonly node: Value;
  readonly leaves: readonly Value[];
  readonly feeds: Readonly<Record<string, Tensor>>;
}

/** The sample as a graph whose floats have the given dtype; axis words hide some of the sizes. */
export function caseOf(
  op: string,
  { operands, attributes }: Sample,
  float: DType,
  symbolic: boolean,
  prefix = "x",
): Case {
  const random = randomNumbers(op.length * 7919 + operands.length);
  const leaves = operands.map(({ shape, dtype }, i) =>
    input(
      `${prefix}${i}`,
      isFloat(dtype) ? float : dtype,
      symbolic ? shape.map((dim) => (dim === 63 ? "token" : dim)) : shape,
    ),
  );
  const feeds = Object.fromEntries(
    operands.map((operand, i) => {
      const { dtype } = leaves[i];
      return [`${prefix}${i}`, new Tensor(dtype, operand.shape, packNumbers(dtype, numbersOf(operand, random)))];
    }),
  );
  const { shape, ...rest } = attributes ?? {};
  const hidden = (dims: Attribute): Attribute =>
    symbolic ? (dims as number[]).map((dim) => (dim === 63 ? "token" : dim)) : dims;
  const bound = shape === undefined ? rest : { ...rest, shape: hidden(shape) };
  return { node: build.apply(op, leaves, bound), leaves, feeds };
}

export function expectClose(got: ArrayLike<number>, expected: ArrayLike<number>, relative: number, what: string): void {
  expect(got.length, what).toBe(expected.length);
  const scale = Array.from(expected).reduce((max, x) => Math.max(max, Math.abs(x)), 1);
  const error = Array.from(got).reduce((max, x, i) => Math.max(max, Math.abs(x - expected[i])), 0);
  expect(error / scale, what).toBeLessThanOrEqual(relative);
}

/** The weighted sum of a float node: a scalar whose derivatives see every element differently. */
export function lossOf(node: Value): Value {
  const shape = node.shape as readonly number[];
  const random = randomNumbers(sizeOf(shape) + 11);
  const weights = packNumbers(
    node.dtype,
    Array.from({ length: sizeOf(shape) }, () => random() - 0.5),
  );
  return build.reduceSum(build.mul(node, constant(new Tensor(node.dtype, shape, weights))));
}
