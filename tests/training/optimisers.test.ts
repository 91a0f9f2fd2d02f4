import { describe, expect, it } from "vitest";
import {
  adam,
  constantRate,
  cosineRate,
  graph,
  inverseRootRate,
  linearRate,
  lion,
  optimise,
  random,
  sgd,
  Tensor,
} from "../../kernel/lib/index.js";
import type { Optimiser, Problem } from "../../kernel/lib/index.js";

const { build } = graph;
const start = Float32Array.from(random(1).normal([6]).data as Float32Array);

/** ½ Σ c·(w − t)², whose slope is c·(w − t); another t at each step. */
const scales = [0.5, 1, 2, 0.1, 3, 1.5];
const targetAt = (step: number): number[] => [0, 1, 2, 3, 4, 5].map((i) => Math.sin(step + i));
const problem: Problem = {
  parameters: { w: new Tensor("float32", [2, 3], start) },
  loss: ({ w }, { target }) => {
    const off = build.sub(w, target);
    const c = graph.constant(new Tensor("float32", [2, 3], Float32Array.from(scales)));
    return build.mul(build.reduceSum(build.mul(c, build.mul(off, off))), 0.5);
  },
  batch: (step) => ({ target: new Tensor("float32", [2, 3], Float32Array.from(targetAt(step))) }),
};
const slopes = (w: readonly number[], step: number): number[] => w.map((x, i) => scales[i] * (x - targetAt(step)[i]));

type Rule = (w: readonly number[], g: readonly number[], t: number, memory: number[][]) => number[];

/** The same in float64 loops, from the papers' formulas. */
const rules: Readonly<Record<string, { readonly unit: Optimiser; readonly rule: Rule }>> = {
  adam: {
    unit: adam({ rate: 0.05, beta1: 0.8, beta2: 0.9, epsilon: 1e-6, weightDecay: 0.2 }),
    rule: (w, g, t, [m, v]) =>
      w.map((x, i) => {
        m[i] = 0.8 * m[i] + 0.2 * g[i];
        v[i] = 0.9 * v[i] + 0.1 * g[i] ** 2;
        const step = m[i] / (1 - 0.8 ** t) / (Math.sqrt(v[i] / (1 - 0.9 ** t)) + 1e-6);
        return x - 0.05 * (step + 0.2 * x);
      }),
  },
  sgd: {
    unit: sgd({ rate: 0.1, momentum: 0.7, weightDecay: 0.05 }),
    rule: (w, g, _, [b]) =>
      w.map((x, i) => {
        b[i] = 0.7 * b[i] + g[i] + 0.05 * x;
        return x - 0.1 * b[i];
      }),
  },
  lion: {
    unit: lion({ rate: 0.02, beta1: 0.9, beta2: 0.95, weightDecay: 0.1 }),
    rule: (w, g, _, [m]) =>
      w.map((x, i) => {
        const toward = Math.sign(0.9 * m[i] + 0.1 * g[i]);
        m[i] = 0.95 * m[i] + 0.05 * g[i];
        return x - 0.02 * (toward + 0.1 * x);
      }),
  },
};

describe.each(Object.entries(rules))("%s", (_, { unit, rule }) => {
  it("changes weights as its paper says", async () => {
    const steps = 12;
    const { parameters } = await optimise(problem, { steps, optimiser: unit });
    let w = Array.from(start, Number);
    const memory = [new Array<number>(6).fill(0), new Array<number>(6).fill(0)];
    for (let step = 0; step < steps; step++) w = rule(w, slopes(w, step), step + 1, memory);
    parameters["w"].numbers().forEach((x, i) => expect(Math.abs(x - w[i])).toBeLessThan(2e-5));
  });
});

describe("options of optimise", () => {
  it("clip cuts slopes to a length, and the length before is recorded", async () => {
    const fit = await optimise(problem, { steps: 1, optimiser: sgd({ rate: 1 }), clip: 0.5 });
    const g = slopes([...start], 0);
    const norm = Math.hypot(...g);
    expect(fit.norms[0]).toBeCloseTo(norm, 4);
    fit.parameters["w"].numbers().forEach((x, i) => expect(x).toBeCloseTo(start[i] - (0.5 / norm) * g[i], 4));
  });

  it("accumulate averages the slopes of several batches", async () => {
    const fit = await optimise(problem, { steps: 2, optimiser: sgd({ rate: 0.1 }), accumulate: 3 });
    let w = Array.from(start, Number);
    for (let step = 0; step < 2; step++) {
      const all = [0, 1, 2].map((i) => slopes(w, 3 * step + i));
      w = w.map((x, i) => x - (0.1 * (all[0][i] + all[1][i] + all[2][i])) / 3);
    }
    fit.parameters["w"].numbers().forEach((x, i) => expect(x).toBeCloseTo(w[i], 4));
  });

  it("groups have rates and decays of their own; biases are not decayed unless a group says so", async () => {
    const zero = (): Tensor => new Tensor("float32", [2], new Float32Array(2));
    const ones = (shape: number[]): Tensor => new Tensor("float32", shape, new Float32Array(2).fill(1));
    const still: Problem = {
      parameters: { matrix: ones([1, 2]), bias: ones([2]), fast: ones([2]), kept: ones([2]) },
      loss: ({ matrix, bias, fast, kept }, { x }) =>
        build.reduceSum(build.mul(build.add(build.add(matrix, bias), build.add(fast, kept)), x)),
      batch: () => ({ x: zero() }),
    };
    const { parameters } = await optimise(still, {
      steps: 1,
      optimiser: adam({ rate: 0.1, weightDecay: 0.5 }),
      groups: [
        { of: (name) => name === "fast", rate: 2, weightDecay: 1 },
        { of: (name) => name === "kept", rate: 0, weightDecay: 1 },
      ],
    });
    const one = (name: string): number => parameters[name].item(...parameters[name].shape.map(() => 0));
    expect(one("matrix")).toBeCloseTo(0.95, 5);
    expect(one("bias")).toBe(1);
    expect(one("fast")).toBeCloseTo(0.8, 5);
    expect(one("kept")).toBe(1);
  });

  it.each([
    [{ steps: 0 }, "steps must be a whole number of at least 1, got 0"],
    [{ steps: 2, clip: -1 }, "clip must be a number above 0, got -1"],
    [{ steps: 2, scedule: 1 }, 'unknown option "scedule"; did you mean "schedule"?'],
    [{ steps: 2, schedule: () => NaN }, "the rate of step 0 must be a number of at least 0, got NaN"],
  ])("%j is refused", async (options, message) => {
    await expect(optimise(problem, options as never)).rejects.toThrow(message);
  });

  it("losses that are no numbers and batches of other shapes are refused", async () => {
    const wide = { ...problem, loss: ({ w }) => w } as Problem;
    await expect(optimise(wide, { steps: 1 })).rejects.toThrow('"loss" must be a float32 number, got [2,3] float32');
    const uneven = {
      ...problem,
      batch: (step: number) => ({ target: new Tensor("float32", step === 1 ? [1, 3] : [2, 3], new Float32Array(step === 1 ? 3 : 6)) }), // prettier-ignore
    };
    await expect(optimise(uneven, { steps: 3 })).rejects.toThrow("all batches must have one shape");
  });
});

it("schedules rise and fall as they say", () => {
  const of = (schedule: ReturnType<typeof constantRate>) => [0, 4, 10, 15, 20].map((step) => schedule(step, 20));
  expect(of(constantRate())).toEqual([1, 1, 1, 1, 1]);
  expect(of(constantRate({ warmup: 10 }))).toEqual([0.1, 0.5, 1, 1, 1]);
  expect(of(linearRate({ warmup: 10 }))).toEqual([0.1, 0.5, 1, 0.5, 0]);
  of(cosineRate({ warmup: 10, floor: 0.2 })).forEach((x, i) => expect(x).toBeCloseTo([0.1, 0.5, 1, 0.6, 0.2][i]));
  of(inverseRootRate({ warmup: 5 })).forEach((x, i) =>
    expect(x).toBeCloseTo([0.2, 1, Math.sqrt(5 / 11), Math.sqrt(5 / 16), Math.sqrt(5 / 21)][i]),
  );
  expect(() => cosineRate({ floor: 2 })).toThrow("cosineRate: floor must be a number in 0 … 1, got 2");
});
