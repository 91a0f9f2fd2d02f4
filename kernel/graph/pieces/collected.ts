import { allocate, sizeOf, Tensor } from "../../tensor/index.js";
import { bindShape } from "../dims.js";
import type { RowsOf } from "./plan.js";

/** Slices of all turns of a loop, filled in as they come. */
export class Slices {
  readonly #turns: number;
  readonly #found = new Map<string, Tensor>();

  constructor(turns: number) {
    this.#turns = turns;
  }

  put(turn: number, name: string, { dtype, shape, data }: Tensor): void {
    const [own, ...rest] = shape;
    if (!this.#found.has(name)) {
      const all = allocate(dtype, (data.length / own) * this.#turns);
      this.#found.set(name, new Tensor(dtype, [this.#turns, ...rest], all));
    }
    copy(this.#found.get(name)!, (data.length / own) * turn, data, 0, data.length);
  }

  get tensors(): Readonly<Record<string, Tensor>> {
    return Object.fromEntries(this.#found);
  }
}

/** Tensors whose rows several loops give: each is written where it belongs, and nothing has to be put together. */
export class RowsInPlace {
  readonly #sizes: Readonly<Record<string, number>>;
  readonly #found = new Map<string, Tensor>();

  constructor(sizes: Readonly<Record<string, number>>) {
    this.#sizes = sizes;
  }

  /**
   * Writes the rows of some turns, from turn `turn` of their loop on.
   *
   * Shapes   rows [turns, before, side·size, after] → [before, side·length, after]; rows that fill up are left out
   */
  put(turn: number, { dtype, shape, data }: Tensor, { into, shape: symbolic, axis, size, ...rows }: RowsOf): void {
    const whole = bindShape("pieces", symbolic, this.#sizes);
    if (!this.#found.has(into)) {
      this.#found.set(into, new Tensor(dtype, whole, allocate(dtype, sizeOf(whole))));
    }
    const side = shape[axis + 1] / size;
    const before = sizeOf(whole.slice(0, axis)) * side;
    const length = whole[axis] / side;
    const after = sizeOf(whole.slice(axis + 1));
    for (let own = 0; own < shape[0]; own++) {
      const row = (turn + own) * size;
      const count = Math.min(size, rows.count - row) * after;
      for (let i = 0; i < before; i++) {
        copy(
          this.#found.get(into)!,
          (i * length + rows.first + row) * after,
          data,
          (own * before + i) * size * after,
          count,
        );
      }
    }
  }

  /** Hands a tensor over; it is not held here any longer. */
  take(into: string): Tensor {
    const found = this.#found.get(into)!;
    this.#found.delete(into);
    return found;
  }
}

function copy({ data }: Tensor, at: number, from: Tensor["data"], start: number, count: number): void {
  // Both are of one element type.
  (data as Float32Array).set((from as Float32Array).subarray(start, start + count), at);
}
