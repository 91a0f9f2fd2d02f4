import { random, showWith, Tensor } from "../../tensor/index.js";
import { Draws } from "./draws.js";
import type { Split } from "./tokenTask.js";

/** One example: a picture, its class, and where its object is. */
export interface PictureRow {
  /** Red, green and blue of each pixel, row by row: what `model.run({ images })` takes. */
  readonly picture: { readonly width: number; readonly height: number; readonly data: Uint8Array };
  /** An index into `classes` of the task. */
  readonly label: number;
  /** Per pixel 1 where the object is that the label tells of, else 0. */
  readonly mask: Uint8Array;
  /** Per pixel 1 where anything else was drawn. */
  readonly others: Uint8Array;
}

/** Examples side by side. */
export interface PictureBatch {
  /** [batch, channel, height, width]: −1 … 1, as a ViT's preprocessor makes them of bytes. */
  readonly pixelValues: Tensor<"float32">;
  /** [batch] */
  readonly labels: Tensor<"int32">;
}

export interface PictureTaskParts {
  readonly name: string;
  readonly classes: readonly string[];
  /** Height and width in pixels. */
  readonly size: number;
  readonly seed: number;
  readonly row: (draws: Draws) => PictureRow;
}

/** A byte as a pixel value, rounded at each step as preprocessors do. */
const valueOfByte = Float32Array.from({ length: 256 }, (_, byte) => (Math.fround(byte * (1 / 255)) - 0.5) / 0.5);

/** A seeded source of pictures with classes and masks; shows some of them. */
export class PictureTask {
  readonly name: string;
  readonly classes: readonly string[];
  readonly size: number;
  readonly seed: number;
  readonly #row: PictureTaskParts["row"];

  constructor({ name, classes, size, seed, row }: PictureTaskParts) {
    this.name = name;
    this.classes = classes;
    this.size = size;
    this.seed = seed;
    this.#row = row;
  }

  /** Example `index` of a split, always the same. */
  row(index: number, split: Split = "train"): PictureRow {
    return this.#row(new Draws(random(this.seed).fork(this.name).fork(split).fork(index)));
  }

  /** Batch `step` of a split: examples step·size … step·size + size − 1. */
  batch(step: number, size: number, split: Split = "train"): PictureBatch {
    const rows = Array.from({ length: size }, (_, i) => this.row(step * size + i, split));
    const plane = this.size ** 2;
    const values = new Float32Array(size * 3 * plane);
    rows.forEach(({ picture: { data } }, b) => {
      for (let at = 0; at < data.length; at++) values[(3 * b + (at % 3)) * plane + Math.floor(at / 3)] = valueOfByte[data[at]]; // prettier-ignore
    });
    return {
      pixelValues: new Tensor("float32", [size, 3, this.size, this.size], values),
      labels: new Tensor(
        "int32",
        [size],
        Int32Array.from(rows, ({ label }) => label),
      ),
    };
  }

  /** Some pictures in letters, two pixels above one another in each: # the object, o what else there is. */
  describe(count = 3): string {
    const rows = Array.from({ length: count }, (_, i) => this.row(i));
    const head = `${this.name}: ${this.size} × ${this.size} pixels, classes ${this.classes.join(", ")}, seed ${this.seed}`;
    const letter = ({ mask, others }: PictureRow, at: number): string => (mask[at] ? "#" : others[at] ? "o" : "·");
    const lines = Array.from({ length: Math.ceil(this.size / 2) }, (_, line) =>
      rows.map((row) => Array.from({ length: this.size }, (_, x) => letter(row, 2 * line * this.size + x)).join("")),
    );
    const names = rows.map(({ label }) => this.classes[label].padEnd(this.size));
    return [head, ...[names, ...lines].map((line) => `  ${line.join("  ")}`.trimEnd())].join("\n");
  }
}

showWith(PictureTask.prototype, (task) => ({ "text/plain": task.describe() }));
