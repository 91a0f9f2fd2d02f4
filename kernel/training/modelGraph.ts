import type { Engine, Value } from "../graph/index.js";
import { build, constant, input } from "../graph/index.js";
import type { Batch, Blueprint, GraphContext } from "../models/index.js";
import { Model } from "../models/index.js";
import type { TaskBatch, TokenTask } from "../tasks/index.js";
import { OptionError } from "../tensor/index.js";
import type { Tensor } from "../tensor/index.js";
import type { Tensors } from "./stepGraph.js";
import { predictionSums } from "./tokenLoss.js";

/** Inputs of a model that are the same for every full batch, as constants. */
function constantInputs(blueprint: Blueprint, size: number, length: number): ReadonlyMap<string, Value> {
  const zeros = new Int32Array(size * length);
  const batch: Batch = { size, length, inputIds: zeros, attentionMask: zeros.map(() => 1), tokenTypeIds: zeros };
  return new Map(Object.entries(blueprint.feeds(batch)).map(([name, tensor]) => [name, constant(tensor)]));
}

/** The logits of a model of these weights, [B,T,V]; nothing is addressed, so that mechanisms take their fastest form. */
export function logitsOf(blueprint: Blueprint, weights: Readonly<Record<string, Value>>, inputIds: Value): Value {
  const [size, length] = inputIds.shape as readonly number[];
  const others = constantInputs(blueprint, size, length);
  const context: GraphContext = {
    weight: (name) => weights[name],
    has: (name) => Object.hasOwn(weights, name),
    input: (name) => (name === "input_ids" ? inputIds : others.get(name)!),
    tap: (_, value) => value,
  };
  const { logits } = blueprint.build(context);
  if (!logits) throw new OptionError(`train: ${blueprint.architecture} has no prediction head`);
  return logits;
}

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

/** A batch of a task as the graph reads it. */
export function batchTensors({ inputIds, targets, kinds }: TaskBatch): Tensors {
  return { ids: inputIds, targets, ...(kinds ? { kinds } : {}) };
}

/**
 * What weights predict on rows of a task that are not learned from: loss, accuracy and the mean of each part. The graph
 * is compiled once and reads the weights as inputs.
 */
export async function tester(
  engine: Engine,
  blueprint: Blueprint,
  task: TokenTask,
  { rows, batchSize }: { readonly rows: number; readonly batchSize: number },
): Promise<{
  readonly test: (weights: Tensors) => Promise<Record<string, number>>;
  readonly dispose: () => Promise<void>;
}> {
  const size = Math.min(rows, batchSize);
  const shape = [size, task.length];
  const place = (name: string): Value => input(name, "int32", shape);
  const weightName = (name: string): string => `weight ${name}`;
  const weights = blueprint.tensors.map(
    ({ name, shape: of }) => [name, input(weightName(name), "float32", of)] as const,
  );
  const logits = logitsOf(blueprint, Object.fromEntries(weights), place("ids"));
  const hasKinds = task.parts.length > 0;
  const sums = predictionSums(
    logits,
    place("targets"),
    hasKinds ? { kinds: place("kinds"), names: task.parts } : undefined,
  );
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
          ...batchTensors(task.batch(step, size, "test")),
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
