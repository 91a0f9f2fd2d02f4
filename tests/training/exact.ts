import { expect } from "vitest";
import type { Model } from "../../kernel/lib/index.js";
import { random, Tensor } from "../../kernel/lib/index.js";
import { build, constant, evaluate, gradients, input } from "../../kernel/lib/graph/index.js";
import { tokenLogits } from "../../kernel/lib/training/lesson.js";

/** Two tensors of one shape, number by number. */
export function near(a: Tensor, b: Tensor, tolerance = 1e-5): void {
  expect(a.shape).toEqual(b.shape);
  const [x, y] = [a.numbers(), b.numbers()];
  expect(Math.max(...x.map((each, i) => Math.abs(each - y[i])))).toBeLessThan(tolerance);
}

/** The logits of one prompt by the graph, in float64. */
export function exactLogits(model: Model, weights: Readonly<Record<string, Tensor>>, ids: readonly number[]): Tensor {
  const doubles = Object.fromEntries(
    Object.entries(weights).map(([name, tensor]) => [
      name,
      constant(new Tensor("float64", tensor.shape, Float64Array.from(tensor.numbers()))),
    ]),
  );
  const prompt = constant(new Tensor("int32", [1, ids.length], Int32Array.from(ids)));
  const { logits } = evaluate({ logits: tokenLogits(model.parts().blueprint, doubles, prompt) });
  return new Tensor("float64", logits.shape, logits.data);
}

/** The slope of a loss along a random direction of all weights, by gradients and by differences, in float64. */
export function slopes(
  model: Model,
  weights: Readonly<Record<string, Tensor>>,
  ids: readonly number[],
): readonly [number, number] {
  const { blueprint } = model.parts();
  const names = Object.keys(weights);
  const leaves = Object.fromEntries(names.map((name) => [name, input(name, "float64", weights[name].shape)]));
  const prompt = constant(new Tensor("int32", [1, ids.length], Int32Array.from(ids)));
  const logits = tokenLogits(blueprint, leaves, prompt);
  const loss = build.reduceSum(
    build.mul(logits, constant(random(1).normal(logits.shape as number[], { dtype: "float64" }))),
  );
  const directions = names.map((name, i) =>
    random(10 + i)
      .normal(weights[name].shape, { dtype: "float64" })
      .numbers(),
  );
  const at = (h: number) =>
    Object.fromEntries(
      names.map((name, i) => {
        const data = Float64Array.from(weights[name].numbers(), (x, j) => x + h * directions[i][j]);
        return [name, new Tensor("float64", weights[name].shape, data)];
      }),
    );
  const found = gradients(loss, Object.values(leaves));
  const values = evaluate(Object.fromEntries(found.map((each, i) => [String(i), each])), at(0));
  const along = names.reduce(
    (sum, _, i) =>
      sum + Array.from(values[String(i)].data, Number).reduce((part, x, j) => part + x * directions[i][j], 0),
    0,
  );
  const [before, after] = [-1e-6, 1e-6].map((h) => Number(evaluate({ loss }, at(h))["loss"].data[0]));
  return [along, (after - before) / 2e-6];
}
