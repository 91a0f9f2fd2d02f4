import type { Dim, Value } from "../graph/index.js";
import { checkOptions, knownNames, OptionError, ShapeError } from "../tensor/index.js";
import type { ReferenceHead, ReferenceResult } from "./reference.js";

/** Axis sizes of one call; words where a size is known only at run time. */
export interface Sizes {
  readonly batch: Dim;
  readonly heads: number;
  readonly keyHeads: number;
  readonly valueHeads: number;
  readonly queries: Dim;
  readonly keys: Dim;
  readonly headDim: number;
  readonly valueDim: number;
}

/** What a mechanism works on. */
export interface Call {
  /** [B,H,Q,D] */
  readonly q: Value;
  /** [B,G,K,D]; key head j serves the queries of heads j·H/G … (j+1)·H/G − 1. */
  readonly k: Value;
  /** [B,G',K,E]; keys and values may differ in their number of heads (arXiv:2501.13629 §2.1). */
  readonly v: Value;
  /**
   * Whether a query sees a key: bool, broadcast to [B,H,Q,K]; every key when left out. Mechanisms with an order of their
   * own take none.
   */
  readonly mask?: Value | undefined;
  /** Added to the scaled scores, broadcast to [B,H,Q,K]; for mechanisms that see by a mask. */
  readonly bias?: Value | undefined;
  /** Learned values by their names; see `Mechanism.parameters`. */
  readonly parameters?: Readonly<Record<string, Value>>;
  /** Values that a layer computes per token, [B,H,K] or [B,H,K,D]; see `Mechanism.gates`. */
  readonly gates?: Readonly<Record<string, Value>>;
}

export interface Attended {
  /** [B,H,Q,E] */
  readonly z: Value;
  /** [B,H,Q,K]: the weights of the values in z; the effective ones where the mechanism never forms them. */
  readonly pattern: Value;
  /** [B,H,Q,K] before normalisation, hidden keys included, where the mechanism has scores. */
  readonly scores?: Value;
  /** [B,H,D,E]: the weights of channels, of a mechanism that mixes channels; its pattern then is the identity. */
  readonly channels?: Value;
}

/** What holds for every input; the conformance suite holds a mechanism to it. */
export interface Promises {
  /** `"mask"`: a query sees what the mask shows it; `"causal"`: by itself nothing later; `"all"`: by itself any key. */
  readonly sees: "mask" | "causal" | "all";
  /** `"one"`: weights ≥ 0 that sum to 1 over visible keys; `"at most one"`: to 1 or less; `"free"`: anything. */
  readonly rows: "one" | "at most one" | "free";
  /** z is pattern · v. */
  readonly mixesValues: boolean;
}

export interface ParameterSpec {
  readonly shape: readonly number[];
  /** A constant, or the standard deviation of a normal distribution around 0. */
  readonly initial: number | { readonly std: number };
}

export interface GateSpec {
  /** One number per head and token, [B,H,K], or one per channel of keys or values too, [B,H,K,D] or [B,H,K,E]. */
  readonly per: "head" | "keyChannel" | "valueChannel";
  /** Open interval of its values; a layer squashes its projection into it. */
  readonly range: readonly [number, number];
  /** Where a layer starts to learn it; the middle of its projection when left out. */
  readonly initial?: number;
}

/** Options, and constant parameters and gates, under which a mechanism is another one. */
export interface Limit<O> {
  readonly when: string;
  readonly options?: Partial<O>;
  readonly parameters?: Readonly<Record<string, number>>;
  readonly gates?: Readonly<Record<string, number>>;
  /** Name of the other mechanism, and its options. */
  readonly equals: string;
  readonly with?: Readonly<Record<string, unknown>>;
}

/** Sizes of what the laws try a mechanism on; what is left out is small and odd. */
export interface AskedSizes {
  readonly queries?: number;
  /** As many as queries when left out. */
  readonly keys?: number;
  readonly headDim?: number;
  readonly valueDim?: number;
}

/** A form that reads one token at a time. */
export interface Stream<O> {
  /** Shape of each state after [B,H], and its value before the first token. */
  state(
    this: void,
    sizes: Sizes,
    options: O,
  ): Readonly<Record<string, { readonly shape: readonly number[]; readonly initial: number }>>;
  /** One token: q, k, v with Q = K = 1. */
  step(
    this: void,
    state: Readonly<Record<string, Value>>,
    token: Call,
    options: O,
  ): { readonly z: Value; readonly state: Readonly<Record<string, Value>> };
}

/** All that is said about one way of attending. Only name, defaults and build must be said. */
export interface MechanismSpec<O extends object> {
  readonly name: string;
  readonly defaults: O;
  build(this: void, call: Required<Pick<Call, "q" | "k" | "v" | "parameters" | "gates">> & Call, options: O): Attended;
  /** One line: what it does. */
  readonly summary?: string;
  /** Paper and equation. */
  readonly source?: string;
  /** Numbers of the papers in `docs/catalogue.md`. */
  readonly rows?: readonly number[];
  /** Where it leaves the paper. */
  readonly differs?: string;
  /** What holds for every input; by default it sees by a mask, and its rows are free. */
  readonly promises?: Promises;
  /** Cost of one head over T tokens, and the memory that decoding keeps. */
  readonly cost?: { readonly time: string; readonly state: string };
  /** Numbers that decoding holds of T tokens, all heads together, where that is neither every key and value nor a state. */
  held?(this: void, sizes: Sizes & { readonly keys: number }, options: O): number;
  parameters?(this: void, sizes: Sizes, options: O): Readonly<Record<string, ParameterSpec>>;
  readonly gates?: Readonly<Record<string, GateSpec>>;
  /** The same in plain float64 loops over one head, written from the definition and not from `build`. */
  reference?(this: void, head: ReferenceHead, options: O): ReferenceResult;
  readonly limits?: readonly Limit<O>[];
  /** Options that the laws ask for besides the defaults: where those are a paper's, small inputs do not fill them. */
  readonly alsoAsked?: readonly Partial<O>[];
  /** Sizes on which the laws ask, where 7 tokens do not fit: a picture has rows and columns. */
  readonly askedOn?: AskedSizes;
  readonly stream?: Stream<O>;
}

/** A mechanism of attention: what it promises, and the graph of one call. */
export interface Mechanism<O extends object = object> extends MechanismSpec<O> {
  readonly promises: Promises;
  readonly limits: readonly Limit<O>[];
  /**
   * The graph of one call.
   *
   * Throws   OptionError on an unknown option, or a missing parameter or gate; ShapeError on shapes that do not fit
   */
  attend(this: void, call: Call, options?: Partial<O>): Attended;
  /** Defaults with the given options in their place. */
  optionsOf(this: void, options?: Partial<O>): O;
}

/** Sizes of a call; throws ShapeError where they do not fit together. */
export function sizesOf(place: string, { q, k, v }: Pick<Call, "q" | "k" | "v">): Sizes {
  const shapes = `q [${q.shape.join()}], k [${k.shape.join()}], v [${v.shape.join()}]`;
  const fail = (wrong: string): never => {
    throw new ShapeError(`${place}: ${wrong}, got ${shapes}`);
  };
  if ([q, k, v].some(({ shape }) => shape.length !== 4))
    return fail("expected q [B,H,Q,D], k [B,G,K,D] and v [B,G,K,E]");
  const [batch, heads, queries, headDim] = q.shape;
  const [, keyHeads, keys, keyDim] = k.shape;
  const [, valueHeads, values, valueDim] = v.shape;
  if (typeof heads !== "number" || typeof keyHeads !== "number" || typeof valueHeads !== "number")
    return fail("numbers of heads must be known");
  if (typeof headDim !== "number" || typeof valueDim !== "number") return fail("head sizes must be known");
  if (headDim !== keyDim) return fail("queries and keys differ in their last axis");
  if (keys !== values) return fail("keys and values differ in length");
  if (heads % keyHeads !== 0 || heads % valueHeads !== 0)
    return fail("query heads must be a multiple of key and of value heads");
  return { batch, heads, keyHeads, valueHeads, queries, keys, headDim, valueDim };
}

function checkNames(place: string, what: string, given: readonly string[], expected: readonly string[]): void {
  const missing = expected.find((name) => !given.includes(name));
  if (missing !== undefined)
    throw new OptionError(`${place}: ${what} "${missing}" is missing; needs ${expected.join(", ")}`);
  const extra = given.find((name) => !expected.includes(name));
  if (extra !== undefined) throw new OptionError(`${place}: unknown ${what} "${extra}"${knownNames(extra, expected)}`);
}

const byMask: Promises = { sees: "mask", rows: "free", mixesValues: true };
const seen = { causal: "nothing later", all: "any key" };

/**
 * A mechanism from its description. Options, parameters and gates are checked at every call; `lawsOf` says which laws it keeps.
 *
 * Example  mechanism({ name: "mine", defaults: {}, build: ({ q, k, v }) => … }).attend({ q, k, v })
 */
export function mechanism<O extends object>(spec: MechanismSpec<O>): Mechanism<O> {
  const { name, defaults, promises = byMask, limits = [] } = spec;
  const optionsOf = (options: Partial<O> = {}): O => {
    checkOptions(name, options, Object.keys(defaults));
    return { ...defaults, ...options };
  };
  return Object.freeze({
    ...spec,
    promises,
    limits,
    optionsOf,
    attend: (call: Call, options?: Partial<O>): Attended => {
      const merged = optionsOf(options);
      const sizes = sizesOf(name, call);
      const { parameters = {}, gates = {}, mask, bias } = call;
      if ((mask ?? bias) && promises.sees !== "mask")
        throw new OptionError(`${name}: takes no mask and no bias; by itself a query sees ${seen[promises.sees]}`);
      checkNames(name, "parameter", Object.keys(parameters), Object.keys(spec.parameters?.(sizes, merged) ?? {}));
      checkNames(name, "gate", Object.keys(gates), Object.keys(spec.gates ?? {}));
      return spec.build({ ...call, parameters, gates }, merged);
    },
  });
}
