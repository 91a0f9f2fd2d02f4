import { engineOf } from "./host/devices.js";
import { enginePool, poolSize } from "./host/enginePool.js";
import { files } from "./host/files.js";
import { kernel } from "./host/jupyter/api.js";
import { announceLoad } from "./host/jupyter/representations/loading.js";
import { decodePicture } from "./host/pictures.js";
import { reportTraining } from "./host/jupyter/representations/training.js";
import { readWhole, replaceFile } from "./host/replaceFile.js";
import { versions } from "./host/versions.js";
import type { Engine } from "./graph/index.js";
import type {
  MechanismChoice,
  Model,
  TransformerOptions as Shape,
  VisionTransformerOptions as VisionShape,
} from "./models/index.js";
import { makeTransformer, makeVisionTransformer } from "./models/index.js";
import type { TokenTask } from "./tasks/index.js";
import type {
  CompareOptions,
  Comparison,
  ComparisonHost,
  Fit,
  OptimiseOptions as Steps,
  Problem,
  Task,
  Trained,
  TrainingHost,
  TrainOptions,
} from "./training/index.js";
import { compareOn, optimiseOn, trainOn, weightsOf } from "./training/index.js";
import { encodeSafetensors, OptionError } from "./tensor/index.js";

/** Where something made here runs. */
export interface OnDevice {
  /** `"cpu"` by default; `"auto"` takes the fastest; see `devices()`. */
  readonly device?: string;
}

export type TransformerOptions = Shape & OnDevice;
export type VisionTransformerOptions = VisionShape & OnDevice;
export type OptimiseOptions = Steps & OnDevice;

const interruptSignal = (): AbortSignal | undefined => kernel()?.interruptSignal();
const engine = async (device: string): Promise<Engine> => engineOf(device, "float32", { onLoad: announceLoad });

function trainingHost(of: Engine): TrainingHost {
  return {
    engine: of,
    interruptSignal,
    clock: () => performance.now(),
    read: async (path) => readWhole(files.resolve(path)),
    replace: async (path, bytes) => replaceFile(files.resolve(path), bytes),
    report: reportTraining,
  };
}

/**
 * A transformer made of mechanisms, with initial weights that are a function of the seed: the same kind of model as a
 * loaded one.
 *
 * Throws   OptionError on options that are unknown or do not fit together
 * Example  const model = await transformer({ layers: 2, heads: 4, width: 64, vocabulary: 64, length: 32, mechanism: "based" })
 */
export async function transformer({ device = "cpu", ...options }: TransformerOptions): Promise<Model> {
  return makeTransformer({ engine: await engine(device), interruptSignal, versions }, options);
}

/**
 * A vision transformer with initial weights that are a function of the seed: a ViT as `load` gives it, in the layout of
 * transformers' ViTForImageClassification, so that all that works on a loaded one works on it.
 *
 * Throws   OptionError on options that are unknown or do not fit together
 * Source   arXiv:2010.11929 §3.1
 * Example  const model = await visionTransformer({ layers: 4, heads: 4, width: 64, classes: tasks.shapes().classes })
 */
export async function visionTransformer({ device = "cpu", ...options }: VisionTransformerOptions): Promise<Model> {
  return makeVisionTransformer(
    { engine: await engine(device), interruptSignal, versions, files, decodePicture },
    options,
  );
}

/**
 * Makes a loss small: any graph of parameters and data. The same seeds give the same curve, bit for bit, however the
 * steps are spread over runs, interrupts and checkpoints; an interrupt of the cell stops between two runs and returns
 * what was reached.
 *
 * Throws   OptionError, ShapeError on options or data that do not fit; DivergedError where the loss stops being a
 *          number: it holds the run as it was before
 * Example  await optimise({ parameters: { w }, loss: ({ w }, { x, y }) => …, batch: (step) => ({ x, y }) }, { steps: 100 })
 */
export async function optimise(problem: Problem, { device = "cpu", ...options }: OptimiseOptions): Promise<Fit> {
  return optimiseOn(trainingHost(await engine(device)), problem, options);
}

/**
 * Trains a model on a task of tokens or of pictures, on the model's device; the model itself stays as it is.
 *
 * Throws   as {@link optimise}; OptionError where model and task do not fit
 * Example  const { model, test } = await train(small, tasks.mqar(), { steps: 500, optimiser: adam({ rate: 3e-3 }) })
 */
export async function train(model: Model, task: Task, options: TrainOptions): Promise<Trained> {
  return trainOn(trainingHost(model.parts().engine), model, task, options);
}

/**
 * Mechanisms trained in the same model, on the same data, from the same seeds, for the same number of steps: a table. With
 * `processes`, each training has a process and a thread of its own on the processor, several beside one another; the
 * numbers are the same however many there are. With `record`, results are kept in a file: a comparison that was stopped goes on where it was. What fails is a row of
 * the record, with its reason.
 *
 * Throws   OptionError on unknown mechanisms and options, before anything is trained
 * Example  await compare(["softmax", "based", "gatedDelta"], tasks.mqar(), { model: { layers: 2, heads: 1, width: 64 }, train: { steps: 500 } })
 */
export async function compare(
  mechanisms: readonly MechanismChoice[],
  task: TokenTask,
  { device = "cpu", ...options }: CompareOptions & OnDevice,
): Promise<Comparison> {
  const own = await engine(device);
  if (own.device !== "cpu" && (options.processes ?? 1) !== 1)
    throw new OptionError(`compare: ${own.device} is not shared by processes; expected processes 1, got ${options.processes}`); // prettier-ignore
  const host: ComparisonHost = {
    ...trainingHost(own),
    pool: (jobs, processes) =>
      own.device === "cpu" && processes !== undefined
        ? enginePool(poolSize(jobs, processes === "auto" ? undefined : processes))
        : { engines: [own], close: () => undefined },
    make: async (of, shape) => Promise.resolve(makeTransformer({ engine: of, interruptSignal, versions }, shape)),
  };
  return compareOn(host, mechanisms, task, options);
}

/**
 * Writes a model to a folder from which `load` reads it again: weights in float32, config and tokenizer beside them.
 *
 * Throws   FormatError for a model whose mechanism is not registered
 */
export async function save(model: Model, folder: string): Promise<void> {
  const texts = await model.parts().texts();
  const weights = await weightsOf(model);
  for (const [name, text] of Object.entries(texts)) await replaceFile(files.resolve(folder, name), text);
  await replaceFile(files.resolve(folder, "model.safetensors"), encodeSafetensors(weights, { format: "pt" }));
}
