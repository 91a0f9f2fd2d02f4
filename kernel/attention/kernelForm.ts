import type { Value } from "../graph/index.js";
import { build } from "../graph/index.js";
import { decayedProducts, decayedStep, decayTable } from "./decayed.js";
import { lengthOf } from "./lengths.js";
import type { MechanismSpec } from "./mechanism.js";
import { sizesOf } from "./mechanism.js";
import type { Scale } from "./steps.js";
import { perHead, products, scaleOf } from "./steps.js";

/** What tells one kernelised mechanism from another. */
export interface KernelTraits<O> {
  /** φ, of scaled queries and of keys: [B,H,T,D] → [B,H,T,F]. */
  readonly feature: (x: Value, options: O) => Value;
  readonly featureDim: (headDim: number, options: O) => number;
  /** φ(a)·φ(b) in plain numbers, a already scaled; written from the definition. */
  readonly weight: (a: readonly number[], b: readonly number[], options: O) => number;
  /** Whether each row is divided by its sum. */
  readonly isNormalised: (options: O) => boolean;
  /** λ of each head; 1 where nothing is forgotten. */
  readonly decays: (heads: number, options: O) => readonly number[];
  /** Tokens per chunk, where it is an option; it does not change the result. */
  readonly chunk?: (options: O) => number;
}

/** 1 for every head. */
export function noDecay(heads: number): number[] {
  return new Array<number>(heads).fill(1);
}

/** Values with a last channel of ones, whose product is the row's sum. */
function withOnes(v: Value): Value {
  const [batch, heads, length] = v.shape;
  return build.concat([v, build.expand(build.scalar(1, v.dtype), [batch, heads, length, 1])], 3);
}

/** All channels but the last, divided by the last. */
function divided(z: Value): Value {
  const last = (z.shape[3] as number) - 1;
  return build.div(build.slice(z, 3, 0, last), build.slice(z, 3, last, last + 1));
}

/**
 * What mechanisms without a softmax share, whose past is one matrix per head:
 *
 *   z_t = Σ_{s≤t} λ_h^{t−s} φ(scale·q_t)·φ(k_s) v_s   [/ Σ_{s≤t} λ_h^{t−s} φ(scale·q_t)·φ(k_s)]
 *
 * z is computed in chunks, without a matrix of queries and keys; the pattern is formed only where it is asked for.
 */
export function kernelForm<O extends { readonly scale: Scale }>(
  name: string,
  traits: KernelTraits<O>,
): Pick<MechanismSpec<O>, "promises" | "cost" | "build" | "reference" | "stream"> {
  const { feature, featureDim, weight, isNormalised, decays, chunk } = traits;
  return {
    promises: { sees: "causal", rows: "free", mixesValues: true },
    cost: { time: "T·F·(D + 64)", state: "F·D" },
    build: ({ q, k, v }, options) => {
      const sizes = sizesOf(name, { q, k, v });
      const { heads, headDim } = sizes;
      const decay = decays(heads, options);
      const most = chunk?.(options);
      const queries = feature(build.mul(q, scaleOf(options.scale, headDim)), options);
      const keys = feature(k, options);
      const weights = build.mul(products(queries, keys), decayTable(q, decay, lengthOf(name, sizes)));
      const [allKeys, values] = [perHead(keys, heads), perHead(v, heads)];
      if (!isNormalised(options))
        return { pattern: weights, z: decayedProducts(queries, allKeys, values, decay, most) };
      return {
        pattern: build.div(weights, build.reduceSum(weights, [-1], true)),
        z: divided(decayedProducts(queries, allKeys, withOnes(values), decay, most)),
      };
    },
    reference: ({ q, k, head, heads }, options) => {
      const factor = scaleOf(options.scale, q[0].length);
      const decay = decays(heads, options)[head];
      const pattern = q.map((row, i) => {
        const query = row.map((x) => factor * x);
        return k.map((key, j) => (j > i ? 0 : decay ** (i - j) * weight(query, key, options)));
      });
      if (!isNormalised(options)) return { pattern };
      return { pattern: pattern.map((row) => row.map((x) => x / row.reduce((sum, y) => sum + y, 0))) };
    },
    stream: {
      state: ({ headDim, valueDim }, options) => ({
        memory: { shape: [featureDim(headDim, options), valueDim + (isNormalised(options) ? 1 : 0)], initial: 0 },
      }),
      step: ({ memory }, { q, k, v }, options) => {
        const { heads, headDim } = sizesOf(name, { q, k, v });
        const query = feature(build.mul(q, scaleOf(options.scale, headDim)), options);
        const key = perHead(feature(k, options), heads);
        const value = perHead(v, heads);
        const normalised = isNormalised(options);
        const { z, state } = decayedStep(
          memory,
          query,
          key,
          normalised ? withOnes(value) : value,
          decays(heads, options),
        );
        return { z: normalised ? divided(z) : z, state: { memory: state } };
      },
    },
  };
}
