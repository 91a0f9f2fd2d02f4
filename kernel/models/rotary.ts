import type { Value } from "../graph/index.js";
import { build, constant } from "../graph/index.js";
import { Tensor, UnsupportedError } from "../tensor/index.js";
import type { Field } from "./config.js";
import { amount, maybe, record } from "./config.js";
import type { JsonObject } from "./json.js";

/** Rotary positions of one model. */
export interface Rotary {
  /** How many leading dimensions of each head are rotated. */
  readonly dims: number;
  /** Radians per position, one per rotated pair, in float32. */
  readonly frequencies: Float32Array;
}

/** Attributes in the syntax of transformers 4 (`rope_theta`, `rope_scaling`) and of transformers 5 (`rope_parameters`). */
export interface RotaryConfig {
  readonly rope_theta: number;
  readonly rope_scaling: JsonObject | null;
  readonly rope_parameters: JsonObject | null;
}

export const rotaryFields: { readonly [K in keyof RotaryConfig]: Field<RotaryConfig[K]> } = {
  rope_theta: amount(10000),
  rope_scaling: maybe(record),
  rope_parameters: maybe(record),
};

const { fround } = Math;

/** θ^(−2i/d), rounded to float32 at each step as the reference rounds. */
function plainFrequencies(dims: number, theta: number): Float32Array {
  return Float32Array.from({ length: dims / 2 }, (_, i) => 1 / fround(theta ** fround((2 * i) / dims)));
}

/**
 * Llama 3's stretching: short waves stay, long ones are slowed by `factor`, those between are blended.
 *
 * Source   arXiv:2407.21783 §3.4; the blend as in transformers' rope utilities
 */
function llama3Frequencies(plain: Float32Array, number: (name: string) => number): Float32Array {
  const [factor, low, high] = [number("factor"), number("low_freq_factor"), number("high_freq_factor")];
  const original = number("original_max_position_embeddings");
  return plain.map((frequency) => {
    const wave = fround(fround(2 * Math.PI) / frequency);
    if (wave < original / high) return frequency;
    if (wave > original / low) return frequency / factor;
    const smooth = fround(fround(fround(original / wave) - low) / (high - low));
    return fround(fround(fround(1 - smooth) * frequency) / factor) + fround(smooth * frequency);
  });
}

const knownKeys: Readonly<Record<string, readonly string[]>> = {
  default: [],
  linear: ["factor"],
  llama3: ["factor", "low_freq_factor", "high_freq_factor", "original_max_position_embeddings"],
};

/**
 * The rotary positions that a config asks for.
 *
 * Throws   UnsupportedError on a kind of scaling that is not followed exactly, or on a part of it that is not known
 * Source   arXiv:2104.09864 §3.4.2
 */
export function rotaryOf(family: string, config: RotaryConfig, headDim: number, share = 1): Rotary {
  const given = { ...config.rope_scaling, ...config.rope_parameters };
  const kind = given["rope_type"] ?? given["type"] ?? "default";
  if (typeof kind !== "string" || !Object.hasOwn(knownKeys, kind)) {
    throw new UnsupportedError(
      `${family}: rope_type ${JSON.stringify(kind)} is not handled; known: ${Object.keys(knownKeys).join(", ")}`,
    );
  }
  const known = ["rope_type", "type", "rope_theta", "partial_rotary_factor", ...knownKeys[kind]];
  const unknown = Object.keys(given).find((name) => !known.includes(name) && given[name] !== null);
  if (unknown !== undefined) {
    throw new UnsupportedError(
      `${family}: "${unknown}" of rope_type "${kind}" is not handled; known: ${known.join(", ")}`,
    );
  }
  const number = (name: string, fallback?: number): number => {
    const value = given[name] ?? fallback;
    if (typeof value !== "number" || !(value > 0) || !Number.isFinite(value)) {
      throw new UnsupportedError(
        `${family}: ${name} of rope_type "${kind}" must be a number above 0, got ${JSON.stringify(value)}`,
      );
    }
    return value;
  };
  const dims = Math.trunc(headDim * number("partial_rotary_factor", share));
  if (dims % 2 !== 0 || dims > headDim || dims === 0) {
    throw new UnsupportedError(
      `${family}: rotary positions need an even number of dimensions of a head of ${headDim}, got ${dims}`,
    );
  }
  const plain = plainFrequencies(dims, number("rope_theta", config.rope_theta));
  if (kind === "linear") return { dims, frequencies: plain.map((frequency) => frequency / number("factor")) };
  return { dims, frequencies: kind === "llama3" ? llama3Frequencies(plain, number) : plain };
}

/**
 * Turns queries or keys by their positions, in pairs (i, i + dims/2).
 *
 * Shapes   x [B,H,T,D] · positions [B,T] int32 → [B,H,T,D]
 */
export function rotate({ dims, frequencies }: Rotary, x: Value, positions: Value): Value {
  const headDim = x.shape[3] as number;
  const half = dims / 2;
  const rate = constant(new Tensor("float32", [half], frequencies));
  const angles = build.mul(build.unsqueeze(build.cast(positions, "float32"), [1, 3]), rate); // [B,1,T,half]
  const [cos, sin] = [build.cos(angles), build.sin(angles)];
  const [first, second] = [build.slice(x, 3, 0, half), build.slice(x, 3, half, dims)];
  const turned = [
    build.sub(build.mul(first, cos), build.mul(second, sin)),
    build.add(build.mul(second, cos), build.mul(first, sin)),
  ];
  return build.concat(dims < headDim ? [...turned, build.slice(x, 3, dims, headDim)] : turned, 3);
}
