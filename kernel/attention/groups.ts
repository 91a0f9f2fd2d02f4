import type { Value } from "../graph/index.js";
import { build, constant } from "../graph/index.js";
import { packNumbers, Tensor } from "../tensor/index.js";
import type { Attended, Call } from "./mechanism.js";
import { hiddenScore } from "./steps.js";

/** Tokens that attend together: group g's queries see group g's keys. Every query stands in one group. */
export interface Groups {
  /** [n][a] */
  readonly queries: readonly (readonly number[])[];
  /** [n][b]; −1 stands for no key. */
  readonly keys: readonly (readonly number[])[];
}

/** Whole numbers as an int64 constant. */
export function whole(shape: readonly number[], numbers: readonly number[]): Value {
  return constant(new Tensor("int64", shape, packNumbers("int64", numbers)));
}

/** Position of every token in a list that holds each once. */
export function inverse(order: readonly number[]): number[] {
  const places = new Array<number>(order.length);
  order.forEach((token, at) => (places[token] = at));
  return places;
}

/** Weights of chosen keys, put in their places among all keys: [B,H,Q,n] and their numbers [B,H,Q,n] → [B,H,Q,K]. */
export function spread(weights: Value, keys: Value, count: number): Value {
  const [batch, heads, queries] = weights.shape;
  const zeros = build.expand(build.scalar(0, weights.dtype), [batch, heads, queries, count]);
  return build.scatterElements(zeros, keys, weights, 3, "add");
}

/**
 * Softmax attention within groups of tokens, each as one matrix product; what no group holds is never computed.
 *
 * Shapes   q [B,H,T,D], k [B,H,T,D], v [B,H,T,E] → z [B,H,T,E], pattern [B,H,T,T]
 */
export function attendGroups({ q, k, v }: Pick<Call, "q" | "k" | "v">, groups: Groups, scale: number): Attended {
  const [batch, heads, queries] = q.shape as [Value["shape"][0], number, number];
  const [count, size, seen] = [groups.queries.length, groups.queries[0].length, groups.keys[0].length];
  const [asking, asked] = [groups.queries.flat(), groups.keys.flat()];
  const chosen = whole(
    [count, seen],
    asked.map((key) => Math.max(key, 0)),
  );
  const [keys, values] = [build.gather(k, chosen, 2), build.gather(v, chosen, 2)]; // [B,H,n,b,D]
  const scores = build.mul(
    build.matMul(build.gather(q, whole([count, size], asking), 2), build.transpose(keys, [0, 1, 2, 4, 3])),
    scale,
  ); // [B,H,n,a,b]
  const isKey = new Tensor(
    "bool",
    [count, 1, seen],
    packNumbers(
      "bool",
      asked.map((key) => Number(key >= 0)),
    ),
  );
  const shown = asked.includes(-1) ? build.where(constant(isKey), scores, hiddenScore) : scores;
  const weights = build.softmax(shown, -1);
  const back = whole([queries], inverse(asking));
  const inOrder = (x: Value, last: number): Value =>
    build.gather(build.reshape(x, [batch, heads, queries, last]), back, 2);
  const keysOf = new Array<readonly number[]>(queries);
  groups.queries.forEach((group, g) => group.forEach((query) => (keysOf[query] = groups.keys[g])));
  const places = whole(
    [1, 1, queries, seen],
    keysOf.flat().map((key) => Math.max(key, 0)),
  );
  return {
    z: inOrder(build.matMul(weights, values), v.shape[3] as number),
    pattern: spread(inOrder(weights, seen), build.expand(places, [batch, heads, queries, seen]), k.shape[2] as number),
  };
}
