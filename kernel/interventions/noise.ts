import { build } from "../graph/index.js";
import type { Address, GraphEdit } from "../models/index.js";
import type { TokenSet } from "../models/index.js";
import { checkOptions, random, UnsupportedError } from "../tensor/index.js";
import { checkNumber, number } from "./parts/heads.js";
import { atTokens } from "./parts/tokens.js";

export interface NoiseOptions {
  readonly at: Address;
  /** Standard deviation. */
  readonly deviation: number;
  /** Default 0. */
  readonly seed?: number;
  /** Where; at every position when left out. */
  readonly tokens?: TokenSet;
}

/**
 * Adds normal noise to an activation; the same numbers for the same seed and shape.
 *
 *   x′ = x + σ ε, ε ~ N(0, 1)
 *
 * Source   causal tracing's corruption, arXiv:2202.05262 §2.1
 */
export function noise(options: NoiseOptions): GraphEdit {
  checkOptions("noise", options, ["at", "deviation", "seed", "tokens"]);
  const { at, deviation, seed = 0, tokens } = options;
  checkNumber("noise", "deviation", deviation, "a number of at least 0", (x) => x >= 0);
  return {
    name: "noise",
    at: [at],
    edit: (x, site) => {
      const sizes: Readonly<Record<string, number>> = { batch: site.batch.size, query: site.batch.length };
      const shape = x.shape.map((dim) => (typeof dim === "number" ? dim : sizes[dim]));
      if (shape.some((size) => size === undefined)) {
        throw new UnsupportedError(
          `noise: the sizes of "${site.address}" [${x.shape.join()}] are not known before the run`,
        );
      }
      const drawn = random(seed).fork("noise").fork(site.address).normal(shape, { dtype: "float32" });
      const added = build.mul(site.feed("noise", drawn, x.shape), number(site, "deviation", deviation));
      return atTokens("noise", site, tokens, x, build.add(x, added));
    },
  };
}
