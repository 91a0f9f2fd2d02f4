import type { DType } from "./dtype.js";
import { packNumbers } from "./dtype.js";
import { checkOptions, OptionError } from "./errors.js";
import { exactLog } from "./logarithm.js";
import type { Words } from "./philox.js";
import { philox } from "./philox.js";
import { asShape, sizeOf } from "./shape.js";
import { Tensor } from "./tensor.js";

export interface UniformOptions {
  /** Least value; default 0. */
  readonly low?: number;
  /** Bound that is not reached, but for rounding; default 1. */
  readonly high?: number;
  /** Default `"float32"`. */
  readonly dtype?: "float32" | "float64";
}

export interface NormalOptions {
  /** Default 0. */
  readonly mean?: number;
  /** Standard deviation; default 1. */
  readonly deviation?: number;
  /** Default `"float32"`. */
  readonly dtype?: "float32" | "float64";
}

export interface IntegerOptions {
  /** Least value; default 0. */
  readonly low?: number;
  /** Bound that is not reached. */
  readonly high: number;
  /** Default `"int32"`. */
  readonly dtype?: "int32" | "int64";
}

// Each kind of number draws from its own counters, so that they are independent within one stream.
const kinds = { uniform: 1, normal: 2, integers: 3, permutation: 4, fork: 5 } as const;

/** 53 random bits as a number in [0, 1). */
function unit(high: number, low: number): number {
  return ((high >>> 5) * 2 ** 26 + (low >>> 6)) / 2 ** 53;
}

/**
 * Random numbers as a function of a seed and a position: no state, so the same call gives the same numbers, on every
 * machine, in any order. Independent numbers come from `fork`.
 *
 * Source   Philox 4×32-10 ({@link philox})
 */
export class RandomStream {
  readonly #key: readonly [number, number];

  constructor(key: readonly [number, number]) {
    this.#key = key;
    Object.freeze(this);
  }

  /** An independent stream with a name or number of its own. Example: `stream.fork("weights").fork(3)`. */
  fork(name: string | number): RandomStream {
    const text = `${typeof name} ${name}`;
    let key = this.#key;
    for (let at = 0; at < text.length; at += 2) {
      const pair = text.charCodeAt(at) * 0x10000 + (at + 1 < text.length ? text.charCodeAt(at + 1) : 0);
      const [a, b] = philox([pair, at, kinds.fork, text.length], key);
      key = [a, b];
    }
    return new RandomStream(key);
  }

  /** Evenly spread over low ≤ x < high. */
  uniform(shape: readonly number[], options: UniformOptions = {}): Tensor<"float32" | "float64"> {
    checkOptions("uniform", options, ["low", "high", "dtype"]);
    const { low = 0, high = 1, dtype = "float32" } = options;
    const draw = (i: number): number => {
      const words = this.#block(Math.floor(i / 2), 0, kinds.uniform);
      const [a, b] = i % 2 === 0 ? [words[0], words[1]] : [words[2], words[3]];
      // float32 holds 24 bits: cut, not rounded, so that `high` is not reached.
      return low + (high - low) * (dtype === "float32" ? (a >>> 8) / 2 ** 24 : unit(a, b));
    };
    return this.#fill("uniform", dtype, shape, draw);
  }

  /**
   * Normal numbers by the polar method.
   *
   * Source   Marsaglia and Bray, SIAM Review 6 (1964) 260
   */
  normal(shape: readonly number[], options: NormalOptions = {}): Tensor<"float32" | "float64"> {
    checkOptions("normal", options, ["mean", "deviation", "dtype"]);
    const { mean = 0, deviation = 1, dtype = "float32" } = options;
    const draw = (i: number): number => {
      for (let attempt = 0; ; attempt++) {
        const [a, b, c, d] = this.#block(Math.floor(i / 2), attempt, kinds.normal);
        const [x, y] = [2 * unit(a, b) - 1, 2 * unit(c, d) - 1];
        const square = x * x + y * y;
        if (square >= 1 || square < 1e-300) continue;
        return mean + deviation * (i % 2 === 0 ? x : y) * Math.sqrt((-2 * exactLog(square)) / square);
      }
    };
    return this.#fill("normal", dtype, shape, draw);
  }

  /**
   * Whole numbers in low ≤ n < high, each equally likely.
   *
   * Throws   OptionError unless 1 … 2³² values are possible
   */
  integers(shape: readonly number[], options: IntegerOptions): Tensor<"int32" | "int64"> {
    checkOptions("integers", options, ["low", "high", "dtype"]);
    const { low = 0, high, dtype = "int32" } = options;
    const count = high - low;
    if (!Number.isSafeInteger(low) || !Number.isSafeInteger(high) || count < 1 || count > 2 ** 32) {
      throw new OptionError(
        `integers: expected whole numbers with 1 … 2³² between low and high, got ${low} and ${high}`,
      );
    }
    if (dtype === "int32" && (low < -(2 ** 31) || high > 2 ** 31)) {
      throw new OptionError(`integers: ${low} … ${high} does not fit into int32; pass { dtype: "int64" }`);
    }
    return this.#fill("integers", dtype, shape, (i) => low + this.#below(count, i, kinds.integers));
  }

  /** The numbers 0 … length−1 in random order, every order equally likely (Fisher and Yates). */
  permutation(length: number): Tensor<"int32"> {
    const order = new Int32Array(sizeOf(asShape("permutation", [length])));
    for (let i = 0; i < length; i++) {
      const j = this.#below(i + 1, i, kinds.permutation);
      order[i] = order[j];
      order[j] = i;
    }
    return new Tensor("int32", [length], order);
  }

  #block(position: number, attempt: number, kind: number): Words {
    return philox([position >>> 0, attempt, kind, Math.floor(position / 2 ** 32)], this.#key);
  }

  /** A whole number below `count`: words in the last, incomplete multiple of `count` are drawn again. */
  #below(count: number, position: number, kind: number): number {
    const limit = 2 ** 32 - (2 ** 32 % count);
    for (let attempt = 0; ; attempt++) {
      const word = this.#block(position, attempt, kind).find((candidate) => candidate < limit);
      if (word !== undefined) return word % count;
    }
  }

  #fill<D extends DType>(place: string, dtype: D, shape: readonly number[], draw: (i: number) => number): Tensor<D> {
    const length = sizeOf(asShape(place, shape));
    return new Tensor(
      dtype,
      shape,
      packNumbers(
        dtype,
        Float64Array.from({ length }, (_, i) => draw(i)),
      ),
    );
  }
}

/**
 * The stream of a seed.
 *
 * Throws   OptionError unless the seed is a whole number of at least 0
 * Example  random(7).fork("noise").normal([2, 3])
 */
export function random(seed: number): RandomStream {
  if (!Number.isSafeInteger(seed) || seed < 0) {
    throw new OptionError(`random: a seed is a whole number of at least 0, got ${seed}`);
  }
  return new RandomStream([seed >>> 0, Math.floor(seed / 2 ** 32)]);
}
