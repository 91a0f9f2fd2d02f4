import { random, showWith, Tensor } from "../../tensor/index.js";
import { Draws } from "./draws.js";

/** One example: tokens, what each position is to predict (−1: nothing), and the kind of each prediction. */
export interface TaskRow {
  readonly ids: readonly number[];
  readonly targets: readonly number[];
  /** Per position an index into `parts` of the task, −1 for none. */
  readonly kinds?: readonly number[];
}

/** Examples side by side. */
export interface TaskBatch {
  /** [batch, position] int32 */
  readonly inputIds: Tensor<"int32">;
  /** [batch, position] int32; −1 where nothing is to be predicted. */
  readonly targets: Tensor<"int32">;
  /** [batch, position] int32: an index into `parts`, −1 for none; only where the task has parts. */
  readonly kinds?: Tensor<"int32">;
}

export interface TokenTaskParts {
  readonly name: string;
  readonly vocabulary: readonly string[];
  /** Tokens per row. */
  readonly length: number;
  /** Kinds of predictions that are measured apart. */
  readonly parts?: readonly string[];
  /** The token that every row begins with. */
  readonly first?: string;
  readonly seed: number;
  readonly row: (draws: Draws, split: Split) => TaskRow;
}

/** Which examples: those to learn from, or others of the same kind. */
export type Split = "train" | "test";

/** A seeded source of examples; shows some of them. */
export class TokenTask {
  readonly name: string;
  readonly vocabulary: readonly string[];
  readonly length: number;
  readonly parts: readonly string[];
  readonly first: string | undefined;
  readonly seed: number;
  readonly #row: TokenTaskParts["row"];

  constructor({ name, vocabulary, length, parts = [], first, seed, row }: TokenTaskParts) {
    this.name = name;
    this.vocabulary = vocabulary;
    this.length = length;
    this.parts = parts;
    this.first = first;
    this.seed = seed;
    this.#row = row;
  }

  /** Example `index` of a split, always the same. */
  row(index: number, split: Split = "train"): TaskRow {
    return this.#row(new Draws(random(this.seed).fork(this.name).fork(split).fork(index)), split);
  }

  /** Batch `step` of a split: examples step·size … step·size + size − 1. */
  batch(step: number, size: number, split: Split = "train"): TaskBatch {
    const rows = Array.from({ length: size }, (_, i) => this.row(step * size + i, split));
    const table = (of: (row: TaskRow) => readonly number[]): Tensor<"int32"> => {
      const data = new Int32Array(size * this.length);
      rows.forEach((row, i) => data.set(of(row), i * this.length));
      return new Tensor("int32", [size, this.length], data);
    };
    const common = { inputIds: table(({ ids }) => ids), targets: table(({ targets }) => targets) };
    return this.parts.length === 0 ? common : { ...common, kinds: table(({ kinds = [] }) => kinds) };
  }

  /** Some examples as a reader would want to see them: each token, and below it what is to be predicted there. */
  describe(count = 3): string {
    const rows = Array.from({ length: count }, (_, i) => this.row(i));
    const head = `${this.name}: ${this.length} tokens a row, vocabulary of ${this.vocabulary.length}, seed ${this.seed}`;
    return [head, ...rows.map((row) => this.#text(row))].join("\n");
  }

  #text({ ids, targets }: TaskRow): string {
    const most = 40;
    const word = (id: number): string => (id < 0 ? "·" : visible(this.vocabulary[id]));
    const cells = ids.slice(0, most).map((id, t) => [word(id), word(targets[t])] as const);
    const widths = cells.map((cell) => Math.max(...cell.map((text) => [...text].length)));
    const line = (at: 0 | 1): string =>
      cells.map((cell, t) => cell[at] + " ".repeat(widths[t] - [...cell[at]].length)).join(" ");
    const more = ids.length > most ? " …" : "";
    return `  input   ${line(0)}${more}\n  predict ${line(1)}${more}`.replace(/ +$/gm, "");
  }
}

function visible(token: string): string {
  return token.replace(/ /g, "␣").replace(/\n/g, "⏎").replace(/\t/g, "⇥");
}

showWith(TokenTask.prototype, (task) => ({ "text/plain": task.describe() }));
