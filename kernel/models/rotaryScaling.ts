import type { Value } from "../graph/index.js";
import { build, constant } from "../graph/index.js";
import { Tensor, UnsupportedError } from "../tensor/index.js";
import type { JsonObject } from "./json.js";

/** Frequencies that take over in texts longer than `beyond` positions. */
export interface Stretch {
  readonly beyond: number;
  /** From the length of the text, [] float32, to radians per position, [dims / 2]. */
  readonly frequencies: (length: Value) => Value;
  /** Whether they differ from one such length to the next. */
  readonly grows: boolean;
}

/** How one kind of scaling turns. */
export interface Scaling {
  /** Radians per position, one per rotated pair, in float32. */
  readonly frequencies: Float32Array;
  /** What cosines and sines are multiplied by; 1 when left out. */
  readonly magnitude?: number;
  readonly stretch?: Stretch;
  /** Positions that the scaling reaches, where they are more than the config's. */
  readonly reach?: number;
}

/** What a config says about its scaling. */
export interface ScalingTerms {
  readonly dims: number;
  readonly theta: number;
  /** `max_position_embeddings` */
  readonly positions: number;
  /** Positions before the model was stretched. */
  readonly original: number;
  /** A number above 0 of the scaling's attributes, the fallback where it is absent; throws UnsupportedError otherwise. */
  readonly number: (name: string, fallback?: number) => number;
  readonly has: (name: string) => boolean;
  readonly given: JsonObject;
  /** Begins the messages. */
  readonly place: string;
}

const { fround } = Math;

/** θ^(2i/d), rounded to float32 at each step as the reference rounds. */
function wavelengths({ dims, theta }: ScalingTerms): Float32Array {
  return Float32Array.from({ length: dims / 2 }, (_, i) => theta ** fround((2 * i) / dims));
}

/** θ^(−2i/d). */
function plain(terms: ScalingTerms): Float32Array {
  return wavelengths(terms).map((wavelength) => 1 / wavelength);
}

/** Every angle `factor` times slower. Source arXiv:2306.15595 §2.3 */
function linear(terms: ScalingTerms): Scaling {
  return { frequencies: plain(terms).map((frequency) => frequency / terms.number("factor")) };
}

/**
 * A base that grows with the text, once it is longer than the model knows.
 *
 *   θ′ = θ · (s·n/N − (s − 1))^(d / (d − 2))
 *
 * Differs  n is the length of the text at hand; transformers keep the longest that a loaded model has seen
 */
function dynamic(terms: ScalingTerms): Scaling {
  const { dims, theta, positions } = terms;
  const factor = terms.number("factor");
  const exponents = Float32Array.from({ length: dims / 2 }, (_, i) => (-2 * i) / dims);
  const frequencies = (length: Value): Value => {
    const growth = build.sub(build.div(build.mul(length, factor), positions), factor - 1);
    const base = build.mul(build.pow(growth, dims / (dims - 2)), theta);
    return build.pow(base, constant(new Tensor("float32", [dims / 2], exponents)));
  };
  return {
    frequencies: plain(terms),
    stretch: { beyond: positions, frequencies, grows: true },
    reach: Math.floor(positions * factor),
  };
}

/**
 * Llama 3's stretching: short waves stay, long ones are slowed by `factor`, those between are blended.
 *
 * Source   arXiv:2407.21783 §3.4; the blend as in transformers' rope utilities
 */
function llama3(terms: ScalingTerms): Scaling {
  const { original, number } = terms;
  const [factor, low, high] = [number("factor"), number("low_freq_factor"), number("high_freq_factor")];
  const frequencies = plain(terms).map((frequency) => {
    const wave = fround(fround(2 * Math.PI) / frequency);
    if (wave < original / high) return frequency;
    if (wave > original / low) return frequency / factor;
    const smooth = fround(fround(fround(original / wave) - low) / (high - low));
    return fround(fround(fround(1 - smooth) * frequency) / factor) + fround(smooth * frequency);
  });
  return { frequencies };
}

/**
 * Pairs that turn often within the original length keep their speed, those that never finish a turn are slowed by
 * `factor`, a ramp lies between; cosines and sines grow by 0.1·ln(factor) + 1.
 *
 * Source   arXiv:2309.00071 §3
 */
function yarn(terms: ScalingTerms): Scaling {
  const { dims, theta, positions, original, number, has, given, place } = terms;
  const factor = number("factor", positions / original);
  const truncate = given["truncate"] ?? true;
  if (typeof truncate !== "boolean")
    throw new UnsupportedError(`${place}: truncate must be true or false, got ${JSON.stringify(truncate)}`);
  /** The pair that turns this often within the original length. */
  const pairOf = (turns: number): number => (dims * Math.log(original / (turns * 2 * Math.PI))) / (2 * Math.log(theta));
  const [first, last] = [pairOf(number("beta_fast", 32)), pairOf(number("beta_slow", 1))];
  const low = Math.max(truncate ? Math.floor(first) : first, 0);
  const end = Math.min(truncate ? Math.ceil(last) : last, dims - 1);
  const high = low === end ? end + 0.001 : end;
  const frequencies = wavelengths(terms).map((wavelength, i) => {
    const ramp = Math.min(Math.max(fround(fround(i - low) / (high - low)), 0), 1);
    const kept = fround(1 - ramp);
    const [fast, slow] = [fround(1 / wavelength), fround(1 / fround(factor * wavelength))];
    return fround(slow * fround(1 - kept)) + fround(fast * kept);
  });
  const growth = (scale: number): number => (factor <= 1 ? 1 : 0.1 * scale * Math.log(factor) + 1);
  const paired = has("mscale") && has("mscale_all_dim");
  const usual = paired ? growth(number("mscale")) / growth(number("mscale_all_dim")) : growth(1);
  return { frequencies, magnitude: number("attention_factor", usual) };
}

/**
 * A factor for each pair: one list up to the original length, another beyond.
 *
 * Source   arXiv:2402.13753 §3.2
 */
function longrope(terms: ScalingTerms): Scaling {
  const { dims, positions, original, number, given, place } = terms;
  const slowed = (name: string): Float32Array => {
    const factors = given[name];
    const fits = Array.isArray(factors) && factors.length === dims / 2;
    if (!fits || !factors.every((factor) => typeof factor === "number" && factor > 0)) {
      throw new UnsupportedError(
        `${place}: ${name} must be ${dims / 2} numbers above 0, got ${JSON.stringify(factors)}`,
      );
    }
    return wavelengths(terms).map((wavelength, i) => 1 / fround(fround(factors[i] as number) * wavelength));
  };
  const factor = number("factor", positions / original);
  const usual = factor <= 1 ? 1 : Math.sqrt(1 + Math.log(factor) / Math.log(original));
  const long = constant(new Tensor("float32", [dims / 2], slowed("long_factor")));
  return {
    frequencies: slowed("short_factor"),
    magnitude: number("attention_factor", usual),
    stretch: { beyond: original, frequencies: () => long, grows: false },
  };
}

/** Each kind of scaling: the attributes it knows, and what it does. */
export const scalings: Readonly<
  Record<string, { readonly keys: readonly string[]; readonly of: (terms: ScalingTerms) => Scaling }>
> = {
  default: { keys: [], of: (terms) => ({ frequencies: plain(terms) }) },
  linear: { keys: ["factor"], of: linear },
  dynamic: { keys: ["factor"], of: dynamic },
  llama3: { keys: ["factor", "low_freq_factor", "high_freq_factor", "original_max_position_embeddings"], of: llama3 },
  yarn: {
    keys: [
      "factor", "original_max_position_embeddings", "attention_factor", "beta_fast", "beta_slow", "mscale",
      "mscale_all_dim", "truncate",
    ],
    of: yarn,
  },
  longrope: {
    keys: ["factor", "original_max_position_embeddings", "attention_factor", "short_factor", "long_factor"],
    of: longrope,
  },
}; // prettier-ignore
