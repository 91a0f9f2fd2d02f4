import type { Value } from "../graph/index.js";
import { build, constant } from "../graph/index.js";
import { Tensor, UnsupportedError } from "../tensor/index.js";
import type { Field } from "./config.js";
import { amount, maybe, record } from "./config.js";
import type { JsonObject } from "./json.js";
import type { Scaling } from "./rotaryScaling.js";
import { scalings } from "./rotaryScaling.js";

/** Rotary positions of one model. */
export interface Rotary extends Scaling {
  /** How many leading dimensions of each head are rotated. */
  readonly dims: number;
}

/** Attributes in the syntax of transformers 4 (`rope_theta`, `rope_scaling`) and of transformers 5 (`rope_parameters`). */
export interface RotaryConfig {
  readonly rope_theta: number;
  readonly rope_scaling: JsonObject | null;
  readonly rope_parameters: JsonObject | null;
  readonly max_position_embeddings: number;
  /** Where a config tells the length before scaling outside of its scaling, it holds. */
  readonly original_max_position_embeddings?: number;
}

export const rotaryFields: {
  readonly [K in "rope_theta" | "rope_scaling" | "rope_parameters"]: Field<RotaryConfig[K]>;
} = {
  rope_theta: amount(10000),
  rope_scaling: maybe(record),
  rope_parameters: maybe(record),
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
  if (typeof kind !== "string" || !Object.hasOwn(scalings, kind)) {
    throw new UnsupportedError(
      `${family}: rope_type ${JSON.stringify(kind)} is not handled; known: ${Object.keys(scalings).join(", ")}`,
    );
  }
  const place = `${family}: rope_type "${kind}"`;
  const known = ["rope_type", "type", "rope_theta", "partial_rotary_factor", ...scalings[kind].keys];
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
  const positions = config.max_position_embeddings;
  const terms = {
    dims,
    theta: number("rope_theta", config.rope_theta),
    positions,
    original: config.original_max_position_embeddings ?? number("original_max_position_embeddings", positions),
    number,
    has: (name: string) => (given[name] ?? null) !== null,
    given,
    place,
  };
  return { dims, ...scalings[kind].of(terms) };
}

/**
 * Which frequencies a text of this many positions is turned by: lengths with the same number are turned alike.
 *
 * Range    0 for the model's own; otherwise 1, or the length where each has frequencies of its own
 */
export function rotaryRegime({ stretch }: Rotary, length: number): number {
  if (!stretch || length <= stretch.beyond) return 0;
  return stretch.grows ? length : 1;
}

/** Radians per position, [dims / 2]; the text's length is its last position plus one, as in the reference. */
function rates({ dims, frequencies, stretch }: Rotary, positions: Value): Value {
  const own = constant(new Tensor("float32", [dims / 2], frequencies));
  if (!stretch) return own;
  const length = build.add(build.reduceMax(build.cast(positions, "float32")), 1);
  return build.where(build.greater(length, stretch.beyond), stretch.frequencies(length), own);
}

/**
 * Turns queries or keys by their positions, in pairs (i, i + dims/2).
 *
 * Shapes   x [B,H,T,D] · positions [B,T] int32 → [B,H,T,D]
 */
export function rotate(rotary: Rotary, x: Value, positions: Value): Value {
  const { dims, magnitude = 1 } = rotary;
  const headDim = x.shape[3] as number;
  const half = dims / 2;
  const rate = rates(rotary, positions);
  const angles = build.mul(build.unsqueeze(build.cast(positions, "float32"), [1, 3]), rate); // [B,1,T,half]
  const scaled = (part: Value): Value => (magnitude === 1 ? part : build.mul(part, magnitude));
  const [cos, sin] = [scaled(build.cos(angles)), scaled(build.sin(angles))];
  const [first, second] = [build.slice(x, 3, 0, half), build.slice(x, 3, half, dims)];
  const turned = [
    build.sub(build.mul(first, cos), build.mul(second, sin)),
    build.add(build.mul(second, cos), build.mul(first, sin)),
  ];
  return build.concat(dims < headDim ? [...turned, build.slice(x, 3, dims, headDim)] : turned, 3);
}
