import { describe, expect, it } from "vitest";
import type { Mechanism } from "../../kernel/lib/attention/index.js";
import { and, masks, maskTensor, mechanisms } from "../../kernel/lib/attention/index.js";
import { caseOf } from "../../kernel/lib/attention/laws/case.js";
import { distance } from "../../kernel/lib/attention/laws/law.js";
import { allocatedHeads } from "../../kernel/lib/attention/mechanisms/keyDriven.js";
import type { Value } from "../../kernel/lib/graph/index.js";
import { build, constant, evaluate } from "../../kernel/lib/graph/index.js";
import { random, Tensor } from "../../kernel/lib/tensor/index.js";

const [heads, length, width] = [2, 12, 3];
const drawn = (seed: number, ...shape: number[]): Value => constant(random(seed).normal(shape, { dtype: "float64" }));
const operands = { q: drawn(1, 1, heads, length, width), k: drawn(2, 1, heads, length, width), v: drawn(3, 1, heads, length, width) }; // prettier-ignore
const maskOf = (mask: Parameters<typeof maskTensor>[0]): Value => constant(maskTensor(mask, length, length));
const numbers = (x: Value): ArrayLike<number> => evaluate({ x })["x"].data;
const causal = mechanisms.softmax.attend({ ...operands, mask: maskOf(masks.causal()) });

describe("what the mechanisms are in cases that their options do not name", () => {
  it("mixture of heads: all heads chosen by routers that are not uniform is not multi-head attention", () => {
    const all = { shared: 0.5, active: 1 } as const;
    const gates = { router: drawn(4, 1, heads, length), balance: drawn(5, 1, heads, length) };
    const z = mechanisms.mixtureOfHeads.attend({ ...operands, gates, mask: maskOf(masks.causal()) }, all).z;
    expect(distance(numbers(z), numbers(causal.z))).toBeGreaterThan(1e-2);
  });

  it("learned queries: Aaren under a causal mask; efficient probing where tokens are the one head of keys", () => {
    const asked = { ...operands, parameters: { query: drawn(8, heads, width) } };
    const masked = mechanisms.learnedQueries.attend({ ...asked, mask: maskOf(masks.causal()) });
    expect(distance(numbers(masked.z), numbers(mechanisms.aaren.attend(asked).z))).toBeLessThan(1e-12);

    // Tokens of 4 channels, 2 queries in all of them, a half of the values for each.
    const [query, tokens, v] = [drawn(9, 2, 4), drawn(10, 1, 1, length, 4), drawn(11, 1, 2, length, 2)];
    const probed = mechanisms.learnedQueries.attend({ q: drawn(12, 1, 2, 1, 4), k: tokens, v, parameters: { query } });
    const plain = mechanisms.softmax.attend({ q: build.unsqueeze(query, [0, 2]), k: tokens, v });
    expect(probed.z.shape).toEqual([1, 2, 1, 2]);
    expect(distance(numbers(probed.z), numbers(plain.z))).toBeLessThan(1e-12);
  });

  it("landmarks: all blocks retrieved by keys of their own is not softmax", () => {
    const gates = { landmark: drawn(4, 1, heads, length, width) };
    const { z } = mechanisms.landmark.attend({ ...operands, gates }, { block: 3, retrieved: 100 });
    expect(distance(numbers(z), numbers(causal.z))).toBeGreaterThan(1e-2);
  });

  it("key-driven groups: the rule's allocations, and equal norms", () => {
    const sized = (norms: readonly number[]): number[][][] => norms.map((norm) => [[norm, 0]]);
    expect(allocatedHeads(sized([1, 2, 3, 4]), 8)).toEqual([0, 1, 3, 4]);
    expect(allocatedHeads(sized([2, 2, 2]), 6)).toEqual([2, 2, 2]);
    const same = drawn(7, 1, 1, length, width);
    const [k, v] = [build.concat([same, same], 1), operands.v];
    const q = drawn(6, 1, 4, length, width);
    const { z } = mechanisms.keyDriven.attend({ q, k, v });
    expect(distance(numbers(z), numbers(mechanisms.softmax.attend({ q, k, v }).z))).toBeLessThan(1e-12);
  });

  it("fewer key heads than value heads are keys shared by more queries", () => {
    const q = drawn(6, 1, 4, length, width);
    const [k, v] = [drawn(7, 1, 2, length, width), drawn(8, 1, 4, length, width)];
    const repeated = build.gather(k, constant(new Tensor("int64", [4], new BigInt64Array([0n, 0n, 1n, 1n]))), 1);
    const [few, many] = [k, repeated].map((keys) => mechanisms.softmax.attend({ q, k: keys, v }).z);
    expect(distance(numbers(few), numbers(many))).toBeLessThan(1e-14);
  });

  it("RAT: one chunk is a gated recurrence, whatever the query", () => {
    const [keyGate, valueGate] = [4, 5].map((seed) => build.sigmoid(drawn(seed, 1, heads, length, width)));
    const { z } = mechanisms.rat.attend({ ...operands, gates: { keyGate, valueGate } }, { chunk: length });
    const [v, gate, got] = [operands.v, valueGate, z].map(numbers);
    for (let at = 0; at < heads * width; at++) {
      const [head, d] = [Math.floor(at / width), at % width];
      let state = 0;
      for (let t = 0; t < length; t++) {
        const place = (head * length + t) * width + d;
        state = gate[place] * state + (1 - gate[place]) * v[place];
        expect(got[place]).toBeCloseTo(state, 12);
      }
    }
  });

  it("anchored: a low threshold leaves the anchors, a higher one never hides a key", () => {
    const block = 3;
    const region = {
      name: "anchors",
      sees: (i: number, j: number): boolean => j <= i && (j < block || Math.floor(i / block) === Math.floor(j / block)),
    };
    const only = mechanisms.softmax.attend({ ...operands, mask: maskOf(region) });
    const { z } = mechanisms.anchored.attend(operands, { threshold: -1e9, block });
    expect(distance(numbers(z), numbers(only.z))).toBeLessThan(1e-12);
    const kept = [-2, -1, 0, 1, 2, 4].map((threshold) =>
      Array.from(numbers(mechanisms.anchored.attend(operands, { threshold, block }).pattern), (x) => x > 0),
    );
    kept.slice(1).forEach((row, n) => row.forEach((is, at) => expect(is || !kept[n][at]).toBe(true)));
    expect(new Set(kept.map((row) => row.filter(Boolean).length)).size).toBeGreaterThan(2);
  });

  it("lightning: what is forgotten at once leaves each token its own value", () => {
    const { pattern } = mechanisms.lightning.attend(operands, { scale: 1, decay: [0] });
    const own = numbers(build.reduceSum(build.mul(operands.q, operands.k), [3]));
    const got = numbers(pattern);
    for (let at = 0; at < heads * length * length; at++) {
      const [row, j] = [Math.floor(at / length), at % length];
      expect(got[at]).toBeCloseTo(j === row % length ? own[row] : 0, 12);
    }
  });

  it.each([2.5, 3])("Miras: errors count by their power %f, while they are small", (p) => {
    const v = build.mul(operands.v, 0.3);
    const gates = Object.fromEntries(
      [4, 5].map((seed, n) => [["beta", "keep"][n], build.sigmoid(drawn(seed, 1, heads, length))]),
    );
    const options = { bias: "lp", p, scale: 1, delta: 1 } as const;
    const { z, pattern } = mechanisms.miras.attend({ ...operands, v, gates }, options);
    const rows = (x: Value, head: number, size: number): number[][] =>
      Array.from({ length }, (_, t) =>
        Array.from(numbers(x)).slice((head * length + t) * size, (head * length + t + 1) * size),
      );
    for (let head = 0; head < heads; head++) {
      const [q, k, values] = [operands.q, operands.k, v].map((x) => rows(x, head, width));
      const own = { beta: rows(gates["beta"], head, 1), keep: rows(gates["keep"], head, 1) };
      const all = { q: [q], k: [k], v: [values], gates: [own] };
      const given = { q, k, v: values, head, heads, sees: () => true, parameters: {}, gates: own, all };
      const wanted = mechanisms.miras.reference!(given, options);
      expect(distance(rows(z, head, width).flat(), wanted.z!.flat())).toBeLessThan(1e-12);
      expect(distance(rows(pattern, head, length).flat(), wanted.pattern.flat())).toBeLessThan(1e-12);
    }
  });

  it("meta tokens: none add nothing, all are causal attention", () => {
    const among = (tokens: readonly number[]): Value =>
      mechanisms.softmax.attend({ ...operands, mask: maskOf(and(masks.among({ tokens }), masks.causal())) }).z;
    expect(Array.from(numbers(among([]))).every((x) => x === 0)).toBe(true);
    const every = Array.from({ length }, (_, t) => t);
    expect(distance(numbers(among(every)), numbers(causal.z))).toBeLessThan(1e-14);
    expect(() => masks.among({ tokens: [1.5] })).toThrow("whole numbers");
  });
});

describe("options that mean nothing are refused", () => {
  const registry: Readonly<Record<string, Mechanism>> = mechanisms;
  it.each([
    ["mixtureOfHeads", { shared: 0.9, active: 0.5 }, "shares must keep 0 ≤ shared ≤ active ≤ 1"],
    ["rat", { chunk: 0 }, "chunk must be a whole number of at least 1, got 0"],
    ["landmark", { landmarks: "means" }, 'landmarks must be "learned" or "log-sum-exp", got "means"'],
    ["landmark", { retrieved: 0 }, "retrieved must be a whole number"],
    ["superlinear", { backward: -1 }, "backward must be a number of at least 0"],
    ["routing", { window: 0.5 }, "window must be a whole number"],
    ["hyperAttention", { block: 0 }, "block must be a whole number"],
    ["keyDriven", { allocation: "norms" }, 'allocation must be "key norms" or "uniform", got "norms"'],
    ["anchored", { threshold: Infinity }, "threshold must be a number"],
    ["miras", { p: 1 }, "p must be a number of at least 2, got 1"],
    ["miras", { bias: "l1" }, 'bias must be "lp" or "huber", got "l1"'],
    ["cascade", { passes: 4 }, "passes must be 1, 2 or 3, got 4"],
    ["ring", { shards: 0 }, "shards must be a whole number"],
    ["lightning", { block: 0 }, "block must be a whole number"],
    ["relativePosition", { distances: 0 }, "distances must be a whole number"],
    ["relativeConvolution", { taps: -1 }, "taps must be a whole number"],
    ["fixedSequence", { seed: -1 }, "seed must be a whole number"],
  ])("%s %j", (name, options, message) => {
    const unit = registry[name];
    const { call } = caseOf(unit, { sees: "all", small: true });
    expect(() => unit.attend(call, options)).toThrow(message);
  });
});
