import type { Engine, Value } from "../graph/index.js";
import { build, constant, input } from "../graph/index.js";
import type { Blueprint } from "../models/index.js";
import { Model } from "../models/index.js";
import type { Tensor } from "../tensor/index.js";
import type { Lesson } from "./lesson.js";
import { placesFor } from "./lesson.js";
import type { Tensors } from "./stepGraph.js";
import { predictionSums } from "./tokenLoss.js";

/** The weights of a model as tensors. */
export async function weightsOf(model: Model): Promise<Tensors> {
  const { weights, engine } = model.parts();
  const compiled = await engine.compile(
    Object.fromEntries([...weights].map(([name, value]) => [name, build.named(name, value)])),
  );
  try {
    return await compiled.run({});
  } finally {
    await compiled.dispose();
  }
}

/** The same model with other weights. */
export function withWeights(model: Model, weights: Tensors): Model {
  const values = new Map(Object.entries(weights).map(([name, tensor]) => [name, constant(tensor)]));
  return new Model({ ...model.parts(), weights: values });
}

/**
 * What weights predict on rows of a task that are not learned from: loss, accuracy and the mean of each part. The graph
 * is compiled once and reads the weights as inputs.
 */
export async function tester(
  engine: Engine,
  blueprint: Blueprint,
  lesson: Lesson,
  { rows, batchSize }: { readonly rows: number; readonly batchSize: number },
): Promise<{
  readonly test: (weights: Tensors) => Promise<Record<string, number>>;
  readonly dispose: () => Promise<void>;
}> {
  const size = Math.min(rows, batchSize);
  const weightName = (name: string): string => `weight ${name}`;
  const weights = blueprint.tensors.map(
    ({ name, shape: of }) => [name, input(weightName(name), "float32", of)] as const,
  );
  const places = placesFor(lesson.batch(0, size, "test"));
  const { logits, targets, kinds } = lesson.predictions(Object.fromEntries(weights), places);
  const sums = predictionSums(logits, targets, kinds);
  const outputs = Object.entries(sums).flatMap(([name, each]) =>
    Object.entries(each).map(([what, value]) => [`${what} ${name}`, value as Value] as const),
  );
  const compiled = await engine.compile(Object.fromEntries(outputs));
  return {
    test: async (tensors) => {
      const fed = Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [weightName(name), tensor]));
      const totals: Record<string, number> = {};
      for (let step = 0; step * size < rows; step++) {
        const found: Readonly<Record<string, Tensor>> = await compiled.run({
          ...fed,
          ...lesson.batch(step, size, "test"),
        });
        for (const [name, tensor] of Object.entries(found)) totals[name] = (totals[name] ?? 0) + tensor.item();
      }
      const means = Object.keys(sums).map(
        (name) => [name, totals[`surprise ${name}`] / totals[`count ${name}`]] as const,
      );
      return { ...Object.fromEntries(means), accuracy: totals["hits loss"] / totals["count loss"] };
    },
    dispose: compiled.dispose,
  };
}
