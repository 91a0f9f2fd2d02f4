import type { Value } from "../../graph/index.js";
import type { Forward } from "../forward.js";

/** A value that reads another, as its operand of this number. */
export interface Reader {
  readonly value: Value;
  readonly operand: number;
}

/** A product with one matrix of the model: x · W, with W as it is stored or turned round. */
export interface MatrixProduct {
  readonly value: Value;
  readonly name: string;
  readonly matrix: Value;
  /** The axis of the matrix that is summed over. */
  readonly inputAxis: 0 | 1;
}

/** The same for a value and for its copies under other names. */
function identityOf({ source, inputs }: Value): object {
  return source ?? inputs;
}

/** A set of values; copies of one under other names are the same. */
export class ValueSet {
  readonly #values = new Map<object, Value>();

  /** Whether it was not there before. */
  add(value: Value): boolean {
    const identity = identityOf(value);
    const isNew = !this.#values.has(identity);
    if (isNew) this.#values.set(identity, value);
    return isNew;
  }

  has(value: Value): boolean {
    return this.#values.has(identityOf(value));
  }

  [Symbol.iterator](): Iterator<Value> {
    return this.#values.values();
  }
}

/** Whether a value is one number, the same for everything. */
export function isNumber({ source, shape }: Value): boolean {
  return source?.kind === "constant" && shape.length === 0;
}

/** A model's graph as seen from its weights: which of them a value is, and what reads it on the way to the outputs. */
export class GraphReading {
  /** Every value on the way to the outputs. */
  readonly all: readonly Value[];
  readonly #values: Forward["values"];
  readonly #names: ReadonlyMap<object, string>;
  readonly #readers = new Map<object, Reader[]>();
  readonly #outputs = new ValueSet();

  constructor({ values, outputs }: Forward, weights: ReadonlyMap<string, Value>) {
    this.#values = values;
    this.#names = new Map([...weights].map(([name, value]) => [identityOf(value), name]));
    const ends = outputs.map((name) => values.get(name)!);
    for (const value of ends) this.#outputs.add(value);
    const all = new ValueSet();
    const stack = [...ends];
    while (stack.length > 0) {
      const value = stack.pop()!;
      // How a weight is computed is no part of the model.
      if (!all.add(value) || this.nameOf(value) !== undefined) continue;
      value.inputs.forEach((read, operand) => {
        const identity = identityOf(read);
        if (!this.#readers.has(identity)) this.#readers.set(identity, []);
        this.#readers.get(identity)!.push({ value, operand });
        stack.push(read);
      });
    }
    this.all = [...all];
  }

  /** The values whose addresses end like this. */
  addressed(ending: RegExp): readonly (readonly [address: string, value: Value])[] {
    return [...this.#values].filter(([address]) => ending.test(address));
  }

  /** The name of the weight that a value is. */
  nameOf(value: Value | undefined): string | undefined {
    return value && this.#names.get(identityOf(value));
  }

  readersOf(value: Value): readonly Reader[] {
    return this.#readers.get(identityOf(value)) ?? [];
  }

  isOutput(value: Value): boolean {
    return this.#outputs.has(value);
  }

  isSame(a: Value, b: Value): boolean {
    return identityOf(a) === identityOf(b);
  }

  /** The product that a value is, where its right operand is a matrix of the model. */
  productOf(value: Value): MatrixProduct | undefined {
    if (value.op !== "MatMul") return undefined;
    const right = value.inputs[1];
    const isTurned = right.op === "Transpose" && right.shape.length === 2 && this.nameOf(right) === undefined;
    const matrix = isTurned ? right.inputs[0] : right;
    const name = this.nameOf(matrix);
    if (name === undefined || matrix.shape.length !== 2) return undefined;
    return { value, name, matrix, inputAxis: isTurned ? 1 : 0 };
  }

  /** The bias that alone reads a product, to add to it. */
  biasOf({ value }: MatrixProduct): string | undefined {
    const [reader, ...more] = this.readersOf(value);
    return more.length > 0 || reader?.value.op !== "Add"
      ? undefined
      : this.nameOf(reader.value.inputs[1 - reader.operand]);
  }

  /** The unembedding: the product that logits are, a bias and a constant factor aside. */
  unembedding(): MatrixProduct | undefined {
    let value = this.#values.get("logits");
    while (value && value.op !== "MatMul") {
      const isAside =
        (value.op === "Add" && this.nameOf(value.inputs[1]) !== undefined) ||
        (["Mul", "Div"].includes(value.op) && isNumber(value.inputs[1]));
      value = isAside ? value.inputs[0] : undefined;
    }
    return value && this.productOf(value);
  }
}
