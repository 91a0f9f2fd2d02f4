import type { RandomStream } from "../../tensor/index.js";

/** Random numbers one after the other, from a stream of its own. */
export class Draws {
  readonly #stream: RandomStream;
  #block: Float64Array = new Float64Array(0);
  #blocks = 0;
  #at = 0;

  constructor(stream: RandomStream) {
    this.#stream = stream;
  }

  /** Evenly spread over 0 ≤ x < 1. */
  unit(): number {
    if (this.#at === this.#block.length) {
      const block = this.#stream.fork(this.#blocks++).uniform([128], { dtype: "float64" });
      this.#block = block.data as Float64Array;
      this.#at = 0;
    }
    return this.#block[this.#at++];
  }

  /** A whole number in 0 … count − 1. */
  below(count: number): number {
    return Math.floor(this.unit() * count);
  }

  /** An index, as likely as its share of the last of these running sums. */
  among(sums: ArrayLike<number>): number {
    const x = this.unit() * sums[sums.length - 1];
    let [low, high] = [0, sums.length - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (sums[middle] > x) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  /** Different whole numbers in 0 … limit − 1, in random order. */
  distinct(count: number, limit: number): number[] {
    const moved = new Map<number, number>();
    return Array.from({ length: count }, (_, i) => {
      const j = i + this.below(limit - i);
      const [own, other] = [moved.get(i) ?? i, moved.get(j) ?? j];
      moved.set(j, own);
      return other;
    });
  }
}

/** 1, 1 + 2, … of 1, 2, … */
export function runningSums(weights: ArrayLike<number>): Float64Array {
  let sum = 0;
  return Float64Array.from(weights, (weight) => (sum += weight));
}
