import type { Value } from "../../graph/index.js";
import { constant, input } from "../../graph/index.js";
import { packNumbers, random, Tensor } from "../../tensor/index.js";
import { maskTensor } from "../mask.js";
import type { Call, Mechanism, Sizes } from "../mechanism.js";
import type { ReferenceHead } from "../reference.js";
import { product } from "../reference.js";

export interface CaseOptions {
  /** Which keys a query sees; `"some"`: a causal mask with holes and one query that sees nothing. */
  readonly sees: "all" | "causal" | "some";
  readonly dtype?: "float32" | "float64";
  readonly length?: number;
  /** One batch, two heads. */
  readonly small?: boolean;
  /** In place of the defaults, where parameters follow them. */
  readonly options?: object | undefined;
  /** Constants in place of random values. */
  readonly parameters?: Readonly<Record<string, number>> | undefined;
  readonly gates?: Readonly<Record<string, number>> | undefined;
}

/** Random operands for a mechanism. */
export interface Case {
  readonly call: Call;
  readonly leaves: readonly Value[];
  readonly feeds: Readonly<Record<string, Tensor>>;
  readonly sizes: Sizes;
  readonly sees: (query: number, key: number) => boolean;
}

const rules: Readonly<Record<CaseOptions["sees"], Case["sees"]>> = {
  all: () => true,
  causal: (query, key) => key <= query,
  some: (query, key) => key <= query && query !== 3 && (query + 2 * key) % 5 !== 1,
};

export function maskOf(sees: CaseOptions["sees"], { queries, keys }: Sizes): Value {
  return constant(maskTensor({ name: sees, sees: rules[sees] }, queries as number, keys as number));
}

/** Within an open interval, off its ends; the whole line where it has none. */
function drawn(seed: number, count: number, [low, high]: readonly [number, number]): ArrayLike<number> {
  if (!Number.isFinite(low) || !Number.isFinite(high)) return random(seed).normal([count]).numbers();
  const edge = 0.05 * (high - low);
  return random(seed)
    .uniform([count], { low: low + edge, high: high - edge })
    .numbers();
}

/** Odd sizes, groups of heads, every parameter and gate that the mechanism wants. */
export function caseOf(unit: Mechanism, options: CaseOptions): Case {
  const { sees, dtype = "float64", small = false, length = small ? 6 : 7 } = options;
  const [batch, heads, groups, ...dims] = small ? [1, 2, 1, 2, 3] : [2, 4, 2, 3, 2];
  const { queries = length, keys = queries, headDim = dims[0], valueDim = dims[1] } = unit.askedOn ?? {};
  const sizes: Sizes = { batch, heads, keyHeads: groups, valueHeads: groups, queries, keys, headDim, valueDim };
  const feeds: Record<string, Tensor> = {};
  const leaf = (name: string, shape: readonly number[], numbers: (count: number) => ArrayLike<number>): Value => {
    // Rounded to float32, so that both precisions see the same operands.
    const data = Array.from(numbers(shape.reduce((a, b) => a * b, 1)), Math.fround);
    feeds[name] = new Tensor(dtype, shape, packNumbers(dtype, data));
    return input(name, dtype, shape);
  };
  const constants = (x: number) => (count: number) => new Array<number>(count).fill(x);
  const normal =
    (seed: number, deviation = 1) =>
    (count: number) =>
      random(seed).normal([count], { deviation }).numbers();
  const q = leaf("q", [batch, heads, queries, headDim], normal(1));
  // Shorter keys: a memory that is corrected along them (delta rules) is stable only up to β·‖k‖² = 2.
  const k = leaf("k", [batch, groups, keys, headDim], normal(2, 0.6));
  const v = leaf("v", [batch, groups, keys, valueDim], normal(3));
  const parameters = Object.fromEntries(
    Object.entries(unit.parameters?.(sizes, unit.optionsOf(options.options)) ?? {}).map(([name, { shape }], i) => {
      const fixed = options.parameters?.[name];
      return [name, leaf(name, shape, fixed === undefined ? normal(10 + i) : constants(fixed))];
    }),
  );
  const gates = Object.fromEntries(
    Object.entries(unit.gates ?? {}).map(([name, { per, range }], i) => {
      const last = { head: [], keyChannel: [headDim], valueChannel: [valueDim] }[per];
      const fixed = options.gates?.[name];
      const numbers = fixed === undefined ? (n: number) => drawn(20 + i, n, range) : constants(fixed);
      return [name, leaf(name, [batch, heads, keys, ...last], numbers)];
    }),
  );
  const mask = unit.promises.sees === "mask" && sees !== "all" ? maskOf(sees, sizes) : undefined;
  const leaves = [q, k, v, ...Object.values(parameters), ...Object.values(gates)];
  return { call: { q, k, v, mask, parameters, gates }, leaves, feeds, sizes, sees: rules[sees] };
}

/** Rows of one head of a fed tensor; a token's only number is a row of one. */
function rowsOf(tensor: Tensor, batch: number, head: number): number[][] {
  const [, heads, length, width = 1] = tensor.shape;
  const numbers = tensor.numbers();
  const start = (batch * heads + head) * length * width;
  return Array.from({ length }, (_, t) => Array.from(numbers.subarray(start + t * width, start + (t + 1) * width)));
}

/** What the mechanism's reference says, flat in the layout of the graph's outputs; undefined without a reference. */
export function expected(unit: Mechanism, given: Case): { pattern: number[]; z: number[] } | undefined {
  if (!unit.reference) return undefined;
  const { sizes, feeds, call, sees } = given;
  const { heads, keyHeads, valueHeads } = sizes;
  const pattern: number[] = [];
  const z: number[] = [];
  const gatesOf = (b: number, head: number): ReferenceHead["gates"] =>
    Object.fromEntries(Object.keys(call.gates ?? {}).map((name) => [name, rowsOf(feeds[name], b, head)]));
  for (let b = 0; b < (sizes.batch as number); b++) {
    const all = {
      q: Array.from({ length: heads }, (_, head) => rowsOf(feeds["q"], b, head)),
      k: Array.from({ length: keyHeads }, (_, group) => rowsOf(feeds["k"], b, group)),
      v: Array.from({ length: valueHeads }, (_, group) => rowsOf(feeds["v"], b, group)),
      gates: Array.from({ length: heads }, (_, head) => gatesOf(b, head)),
    };
    for (let head = 0; head < heads; head++) {
      const parameters = Object.keys(call.parameters ?? {}).map((name) => [name, [...feeds[name].numbers()]] as const);
      const one: ReferenceHead = {
        ...{ head, heads, sees, all },
        q: all.q[head],
        k: rowsOf(feeds["k"], b, Math.floor((head * keyHeads) / heads)),
        v: rowsOf(feeds["v"], b, Math.floor((head * valueHeads) / heads)),
        parameters: Object.fromEntries(parameters),
        gates: all.gates[head],
      };
      const result = unit.reference(one, unit.optionsOf());
      pattern.push(...result.pattern.flat());
      z.push(...(result.z ?? product(result.pattern, one.v)).flat());
    }
  }
  return { pattern, z };
}
