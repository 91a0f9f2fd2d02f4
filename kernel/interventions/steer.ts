import { build } from "../graph/index.js";
import type { Address, GraphEdit } from "../models/index.js";
import type { TokenSet } from "../models/index.js";
import { checkOptions, formatShape, ShapeError, Tensor } from "../tensor/index.js";
import { checkNumber, number } from "./parts/heads.js";
import { atTokens } from "./parts/tokens.js";

export interface SteerOptions {
  readonly at: Address;
  /** Of the size of the activation's last axis. */
  readonly vector: Tensor | readonly number[];
  /** What the vector is multiplied by; default 1. */
  readonly factor?: number;
  /** Where; at every position when left out. */
  readonly tokens?: TokenSet;
}

/**
 * Adds a vector to an activation.
 *
 *   x′ = x + factor · vector
 *
 * Source   arXiv:2308.10248 §3
 */
export function steer(options: SteerOptions): GraphEdit {
  checkOptions("steer", options, ["at", "vector", "factor", "tokens"]);
  const { at, vector, factor = 1, tokens } = options;
  checkNumber("steer", "factor", factor, "a number", () => true);
  const numbers = Float32Array.from(vector instanceof Tensor ? vector.numbers() : vector);
  const direction = new Tensor("float32", [numbers.length], numbers);
  return {
    name: "steer",
    at: [at],
    edit: (x, site) => {
      const width = x.shape.at(-1);
      if (numbers.length !== width) {
        throw new ShapeError(
          `steer: the vector must be [${width}] for ${formatShape(x.shape)}, got [${numbers.length}]`,
        );
      }
      const step = build.mul(site.feed("vector", direction), number(site, "factor", factor));
      return atTokens("steer", site, tokens, x, build.add(x, step));
    },
  };
}
