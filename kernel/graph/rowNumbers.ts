import { sizeOf } from "../tensor/index.js";
import type { Value } from "./value.js";

/** From so many elements on, onnxruntime works on an operand and a row in several threads. */
const leastElements = 2 ** 16;

/** Rows that are neither so short that each costs a call, nor so long that they make the file large. */
const rowLengths: readonly [least: number, most: number] = [64, 4096];

/** A number that stands beside a large operand, as a row of it. */
export interface RowNumber {
  readonly operand: Value;
  readonly row: readonly number[];
}

/**
 * The number in a sum, difference, product or quotient with a large operand, as a row along the last axis: onnxruntime
 * runs over an operand and one number in a single thread, over an operand and a row in all (measured). The results are
 * the same bit by bit. Undefined elsewhere.
 */
export function rowNumber({ op, inputs, shape, dtype }: Value): RowNumber | undefined {
  if (!["Add", "Sub", "Mul", "Div"].includes(op) || dtype !== "float32") return undefined;
  const operand = inputs.find(({ source, shape: own }) => source?.kind === "constant" && own.length === 0);
  const width = shape.at(-1);
  if (operand?.source?.kind !== "constant" || typeof width !== "number") return undefined;
  const [least, most] = rowLengths;
  if (width < least || width > most || shape.some((dim) => typeof dim !== "number")) return undefined;
  if (sizeOf(shape as readonly number[]) < leastElements) return undefined;
  return { operand, row: new Array<number>(width).fill(Number(operand.source.tensor.data[0])) };
}
