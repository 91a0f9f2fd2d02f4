import type { Value } from "../graph/index.js";
import { build, constant, input } from "../graph/index.js";
import type { Batch, Blueprint, GraphContext, ModelInput } from "../models/index.js";
import { cutPatches } from "../models/index.js";
import type { Split, TaskBatch, TokenTask } from "../tasks/index.js";
import { PictureTask } from "../tasks/index.js";
import { OptionError } from "../tensor/index.js";
import type { Tensors } from "./stepGraph.js";
import type { Kinds } from "./tokenLoss.js";

/** What a model can be trained on. */
export type Task = TokenTask | PictureTask;

type Values = Readonly<Record<string, Value>>;

/** What a model predicts of a batch, and what it was to predict. */
export interface Predictions {
  /** [B,T,V] */
  readonly logits: Value;
  /** [B,T] int32, −1 for none */
  readonly targets: Value;
  readonly kinds?: Kinds | undefined;
}

/** A task as one model learns it. */
export interface Lesson {
  /** Batch `step` of a split, as the graph reads it. */
  readonly batch: (step: number, size: number, split?: Split) => Tensors;
  readonly predictions: (weights: Values, batch: Values) => Predictions;
  /** The first row that is not learned from, as a run reads it. */
  readonly firstTest: () => ModelInput;
}

/** The outputs of a model of these weights; nothing is addressed, so that mechanisms take their fastest form. */
function logitsFrom(blueprint: Blueprint, weights: Values, inputs: Values): Value {
  const context: GraphContext = {
    weight: (name) => weights[name],
    has: (name) => Object.hasOwn(weights, name),
    input: (name) => inputs[name],
    tap: (_, value) => value,
  };
  const { logits } = blueprint.build(context);
  if (!logits) throw new OptionError(`train: ${blueprint.architecture} has no prediction head`);
  return logits;
}

/** Inputs of a model that are the same for every full batch, as constants. */
function constantInputs(blueprint: Blueprint, batch: Batch): Values {
  return Object.fromEntries(Object.entries(blueprint.feeds(batch)).map(([name, tensor]) => [name, constant(tensor)]));
}

/** A batch of tokens as the graph reads it. */
export function tokenTensors({ inputIds, targets, kinds }: TaskBatch): Tensors {
  return { ids: inputIds, targets, ...(kinds ? { kinds } : {}) };
}

/** Logits of a model of tokens [B,T], [B,T,V]. */
export function tokenLogits(blueprint: Blueprint, weights: Values, ids: Value): Value {
  const [size, length] = ids.shape as readonly number[];
  const zeros = new Int32Array(size * length);
  const others = { size, length, inputIds: zeros, attentionMask: zeros.map(() => 1), tokenTypeIds: zeros };
  return logitsFrom(blueprint, weights, { ...constantInputs(blueprint, others), input_ids: ids });
}

function tokenLesson(blueprint: Blueprint, task: TokenTask, name: string): Lesson {
  if (blueprint.pictures) throw new OptionError(`train: ${blueprint.architecture} reads pictures; expected a task that gives some, got ${task.name}; known: shapes`); // prettier-ignore
  if (blueprint.decoder) throw new OptionError(`train: ${blueprint.architecture} cannot be trained yet; expected a model that reads token ids or pictures`); // prettier-ignore
  if (blueprint.vocabulary < task.vocabulary.length)
    throw new OptionError(`train: ${task.name} has ${task.vocabulary.length} tokens, but ${name} knows ${blueprint.vocabulary}`); // prettier-ignore
  if (blueprint.positions < task.length)
    throw new OptionError(`train: rows of ${task.name} are ${task.length} tokens long, but ${name} reads ${blueprint.positions}`); // prettier-ignore
  if (blueprint.fixedLength !== undefined && blueprint.fixedLength !== task.length)
    throw new OptionError(`train: ${name} reads exactly ${blueprint.fixedLength} tokens, rows of ${task.name} have ${task.length}`); // prettier-ignore
  return {
    batch: (step, size, split) => tokenTensors(task.batch(step, size, split)),
    predictions: (weights, { ids, targets, kinds }) => ({
      logits: tokenLogits(blueprint, weights, ids),
      targets,
      kinds: kinds && { kinds, names: task.parts },
    }),
    firstTest: () => ({ inputIds: [task.row(0, "test").ids] }),
  };
}

function pictureLesson(blueprint: Blueprint, task: PictureTask, name: string): Lesson {
  const { pictures, architecture } = blueprint;
  if (pictures?.sequence !== "prompt")
    throw new OptionError(`train: ${task.name} gives pictures and their classes; expected a classifier of pictures, got ${architecture}`); // prettier-ignore
  const { grid } = pictures;
  const pixels = [grid.channels, grid.height, grid.width].join();
  if (pixels !== [3, task.size, task.size].join())
    throw new OptionError(`train: pictures of ${task.name} are [3,${task.size},${task.size}], but ${name} reads [${pixels}]`); // prettier-ignore
  const cut = (tensor: unknown) => cutPatches(tensor, grid, architecture);
  const zeros = new Int32Array(0);
  const lesson: Lesson = {
    batch: (step, size, split) => {
      const { pixelValues, labels } = task.batch(step, size, split);
      return { patches: cut(pixelValues).feeds["patches"], targets: labels };
    },
    predictions: (weights, { patches, targets }) => {
      const given = { size: 1, length: 0, inputIds: zeros, attentionMask: zeros, tokenTypeIds: zeros };
      const others = constantInputs(blueprint, { ...given, patches: cut(task.batch(0, 1).pixelValues) });
      const logits = logitsFrom(blueprint, weights, { ...others, patches });
      const told = logits.shape[1];
      if (told !== task.classes.length)
        throw new OptionError(`train: ${task.name} has ${task.classes.length} classes, but ${name} tells ${told} apart`); // prettier-ignore
      return { logits: build.unsqueeze(logits, [1]), targets: build.unsqueeze(targets, [1]) };
    },
    firstTest: () => ({ pixelValues: task.batch(0, 1, "test").pixelValues }),
  };
  return lesson;
}

/**
 * How a model learns a task: its batches, and what it predicts of one. A picture is a row with one prediction, its class.
 *
 * Throws   OptionError where a model cannot be trained on a task
 */
export function lessonOf(blueprint: Blueprint, task: Task, name: string): Lesson {
  return task instanceof PictureTask ? pictureLesson(blueprint, task, name) : tokenLesson(blueprint, task, name);
}

/** Places in a graph for a batch of these shapes. */
export function placesFor(batch: Tensors): Values {
  return Object.fromEntries(Object.entries(batch).map(([name, { dtype, shape }]) => [name, input(name, dtype, shape)]));
}
