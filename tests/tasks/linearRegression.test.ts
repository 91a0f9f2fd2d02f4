import { expect, it } from "vitest";
import { tasks } from "../../kernel/lib/index.js";

it("linearRegression: rows are linear, seeded, and answered by least squares", () => {
  const task = tasks.linearRegression({ dims: 2, pairs: 6, noise: 0 });
  const { pairs, answer } = task.batch(4, 5);
  expect([pairs.shape, answer.shape]).toEqual([[5, 7, 3], [5]]);
  for (let b = 0; b < 5; b++) {
    // Two equations give both slopes; they answer all the others.
    const [x, y] = [0, 1].map((t) => [pairs.item(b, t, 0), pairs.item(b, t, 1)]);
    const [u, v] = [pairs.item(b, 0, 2), pairs.item(b, 1, 2)];
    const det = x[0] * y[1] - x[1] * y[0];
    const slope = [(u * y[1] - x[1] * v) / det, (x[0] * v - u * y[0]) / det];
    const at = (t: number): number => slope[0] * pairs.item(b, t, 0) + slope[1] * pairs.item(b, t, 1);
    for (let t = 2; t < 6; t++) expect(at(t)).toBeCloseTo(pairs.item(b, t, 2), 3);
    expect(at(6)).toBeCloseTo(answer.item(b), 3);
    expect(pairs.item(b, 6, 2)).toBe(0);
  }
  expect(task.batch(4, 5).pairs.data).toEqual(pairs.data);
  expect(task.batch(5, 5).pairs.data).not.toEqual(pairs.data);
  expect(task.describe(2).split("\n")).toHaveLength(3);
  expect(() => tasks.linearRegression({ noise: -1 })).toThrow("noise must be a number of at least 0, got -1");
});

it("linearRegression: the error of one step of gradient descent is what a step of that size makes", () => {
  const task = tasks.linearRegression();
  expect(task.oneStepError).toBeCloseTo(0.2398, 4);
  // ŷ = η/L · Σ y·(x·q) with η = 1 / (1 + (d + 1 + d·σ²)/L), on many rows.
  const eta = 1 / (1 + (5 + 1 + 5 * 0.1) / 40);
  const size = 3000;
  const { pairs, answer } = task.batch(0, size);
  const z = pairs.data;
  let error = 0;
  for (let b = 0; b < size; b++) {
    const row = (t: number): number => (b * 41 + t) * 6;
    let told = 0;
    for (let t = 0; t < 40; t++) {
      let product = 0;
      for (let i = 0; i < 5; i++) product += z[row(t) + i] * z[row(40) + i];
      told += (eta / 40) * z[row(t) + 5] * product;
    }
    error += (told - answer.item(b)) ** 2 / size;
  }
  expect(Math.abs(error - task.oneStepError)).toBeLessThan(0.03);
});
