import { describe, expect, it } from "vitest";
import { mechanisms, positions } from "../../kernel/lib/attention/index.js";
import { distance } from "../../kernel/lib/attention/laws/law.js";
import { build, constant, evaluate, input } from "../../kernel/lib/graph/index.js";
import { random } from "../../kernel/lib/tensor/index.js";

const normal = (seed: number, shape: readonly number[]) => constant(random(seed).normal(shape, { dtype: "float64" }));

describe("positions", () => {
  it("rotary: the product of a query and a key depends on their distance only, lengths stay", () => {
    const [length, dim] = [9, 6];
    const once = normal(1, [1, 1, 1, dim]);
    const other = normal(2, [1, 1, 1, dim]);
    const spread = (x: typeof once) => positions.rotary(build.expand(x, [1, 1, length, dim]), { base: 100 });
    const [q, k] = [spread(once), spread(other)];
    const products = build.matMul(q, build.transpose(k, [0, 1, 3, 2]));
    const norms = build.reduceSum(build.mul(q, q), [3]);
    const got = evaluate({ products, norms });
    const at = (i: number, j: number): number => got["products"].data[i * length + j];
    for (let i = 1; i < length; i++)
      for (let j = 1; j < length; j++) expect(at(i, j)).toBeCloseTo(at(i - 1, j - 1), 10);
    expect(Math.abs(at(5, 0) - at(0, 0))).toBeGreaterThan(1e-3);
    for (const norm of got["norms"].data) expect(norm).toBeCloseTo(got["norms"].data[0], 10);
    expect(() => positions.rotary(input("x", "float32", [1, 1, 4, 3]))).toThrow("head size must be even, got 3");
    expect(() => positions.rotary(input("x", "float32", [1, 1, "query", 4]))).toThrow("must be known");
  });

  it("ALiBi: the paper's slopes, also where heads are no power of two", () => {
    expect(positions.alibiSlopes(8)).toEqual([1, 2, 3, 4, 5, 6, 7, 8].map((n) => 2 ** -n));
    expect(positions.alibiSlopes(6)).toEqual([2 ** -2, 2 ** -4, 2 ** -6, 2 ** -8, 2 ** -1, 2 ** -3]);
    const bias = evaluate({ b: positions.alibi(normal(1, [1]), 2, { queries: 3, keys: 3 }) })["b"];
    expect(bias.shape).toEqual([2, 3, 3]);
    expect([...bias.data.subarray(6, 9)].map((x) => x + 0)).toEqual([-0.125, -0.0625, 0].map((x) => x));
  });

  it("relative: skewing is gathering by distance, per head and shared", () => {
    const [heads, length, dim] = [2, 5, 3];
    const q = normal(1, [1, heads, length, dim]);
    for (const shape of [
      [length, dim],
      [heads, length, dim],
    ]) {
      const embeddings = normal(2, shape);
      const got = evaluate({ q, embeddings, bias: positions.relative(q, embeddings) });
      for (let h = 0; h < heads; h++)
        for (let i = 0; i < length; i++)
          for (let j = 0; j <= i; j++) {
            const row = (shape.length === 3 ? h * length : 0) + length - 1 - (i - j);
            let sum = 0;
            for (let d = 0; d < dim; d++)
              sum += got["q"].data[(h * length + i) * dim + d] * got["embeddings"].data[row * dim + d];
            expect(got["bias"].data[(h * length + i) * length + j]).toBeCloseTo(sum, 12);
          }
    }
  });

  it("a bias is added to the scaled scores; a constant one changes nothing, one against a key removes it", () => {
    const [q, k, v] = [1, 2, 3].map((seed) => normal(seed, [1, 2, 4, 3]));
    const { softmax, linear } = mechanisms;
    const plain = softmax.attend({ q, k, v }).z;
    const raised = softmax.attend({ q, k, v, bias: build.scalar(3, "float64") }).z;
    const against = build.mul(build.scalar(-1e4, "float64"), constant(random(1).uniform([4, 4], { dtype: "float64" })));
    const { pattern } = softmax.attend({ q, k, v, bias: against });
    const got = evaluate({ plain, raised, pattern });
    expect(distance(got["raised"].data, got["plain"].data)).toBeLessThan(1e-12);
    expect(got["pattern"].data.filter((x) => x > 0.99).length).toBe(8);
    expect(() => linear.attend({ q, k, v, bias: against })).toThrow("takes no mask and no bias");
  });
});
