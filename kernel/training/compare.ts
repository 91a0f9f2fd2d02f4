import type { Mechanism } from "../attention/index.js";
import { mechanisms as registry, stateNumbers } from "../attention/index.js";
import type { Engine } from "../graph/index.js";
import type { MechanismChoice, Model, TransformerOptions } from "../models/index.js";
import { optionsPerLayer } from "../models/index.js";
import type { TokenTask } from "../tasks/index.js";
import { bytesIn, checkOptions, knownNames, OptionError, sizeOf, wholeNumber } from "../tensor/index.js";
import { fingerprint } from "./checkpoint.js";
import type { Trial } from "./comparison.js";
import { Comparison } from "./comparison.js";
import { ComparisonRecord } from "./comparisonRecord.js";
import type { Cost } from "./costs.js";
import { costOf } from "./costs.js";
import type { TrainingHost } from "./host.js";
import { stretches } from "./curveText.js";
import { tokenTensors } from "./lesson.js";
import type { TrainOptions } from "./train.js";
import { trainOn } from "./train.js";

/** What all mechanisms share. */
export interface CompareOptions {
  /** The model around the mechanism; vocabulary and length are the task's. */
  readonly model: Omit<TransformerOptions, "mechanism" | "vocabulary" | "length" | "seed" | "name">;
  readonly train: Omit<TrainOptions, "checkpoint" | "from" | "capture" | "evaluate">;
  /** One training of each mechanism per seed of the initial weights; default [0, 1, 2]. */
  readonly seeds?: readonly number[];
  /** What is compared: `"accuracy"`, `"loss"`, or a part of the task; default `"accuracy"`. */
  readonly metric?: string;
  /** A file of results, kept up to date: what it holds is not computed again. */
  readonly record?: string;
  /** Lengths at which a forward pass is counted and timed, beside that of the task; default none. */
  readonly lengths?: readonly number[];
  /**
   * Trainings beside one another, each in a process of one thread; `"auto"`: as many as there are cores and memory for.
   * Default none: one after the other, in this process.
   */
  readonly processes?: number | "auto";
}

const known = ["model", "train", "seeds", "metric", "record", "lengths", "processes"];

/** What a comparison needs of the world beside what training needs. */
export interface ComparisonHost extends TrainingHost {
  /** Engines for so many trainings, each for one at a time; `close` when none is used any more. */
  readonly pool: (
    jobs: number,
    processes: number | "auto" | undefined,
  ) => { readonly engines: readonly Engine[]; readonly close: () => void };
  readonly make: (engine: Engine, options: TransformerOptions) => Promise<Model>;
}

interface Job {
  readonly key: string;
  readonly unit: Mechanism;
}

/** Functions are told apart by their text. */
function keyOf(...parts: readonly unknown[]): string {
  return JSON.stringify(parts, (_, value: unknown) => (typeof value === "function" ? String(value) : value));
}

/** See `compare` of the facade. */
export async function compareOn(
  host: ComparisonHost,
  mechanisms: readonly MechanismChoice[],
  task: TokenTask,
  options: CompareOptions,
): Promise<Comparison> {
  checkOptions("compare", options, known);
  const { model, train, seeds = [0, 1, 2], metric = "accuracy", record, lengths = [], processes } = options;
  if (mechanisms.length === 0 || seeds.length === 0)
    throw new OptionError(`compare: expected mechanisms and seeds, got ${mechanisms.length} and ${seeds.length}`);
  const metrics = ["accuracy", "loss", ...task.parts];
  if (!metrics.includes(metric))
    throw new OptionError(`compare: unknown metric "${metric}"${knownNames(metric, metrics)}`);
  if (train.testRows === 0)
    throw new OptionError("compare: testRows must be at least 1: results are those of test rows");
  const units = mechanisms.map((each) => unitOf(each));
  const twice = units.find(({ name }, i) => units.findIndex((other) => other.name === name) !== i);
  if (twice) throw new OptionError(`compare: "${twice.name}" stands there twice`);
  const atLengths = [...new Set([task.length, ...lengths.map((length) => wholeNumber("compare", "lengths", length))])];

  const data = fingerprint(...Object.values(tokenTensors(task.batch(0, 4))).map((part) => bytesIn(part.data)));
  const { optimiser, schedule, ...rest } = train;
  const rule = optimiser && { name: optimiser.name, ...optimiser.options };
  const shape = { ...model, vocabulary: task.vocabulary };
  const trials: readonly (Job & { readonly seed: number })[] = units.flatMap((unit) =>
    seeds.map((seed) => {
      const key = keyOf(unit.name, String(unit.build), seed, model, rule, schedule, rest, task.name, data);
      return { unit, seed, key };
    }),
  );
  const costs: readonly (Job & { readonly length: number })[] = units.flatMap((unit) =>
    atLengths.map((length) => {
      return {
        unit,
        length,
        key: keyOf("cost and state", unit.name, String(unit.build), model, task.vocabulary.length, length),
      };
    }),
  );
  const kept = await ComparisonRecord.open(host, record);
  const queue = trials.filter(({ key }) => !kept.trial(key));
  const pool = host.pool(queue.length, processes);
  let isStopped = false;
  try {
    const work = async (engine: Engine): Promise<void> => {
      for (let job = queue.shift(); job && !isStopped; job = queue.shift()) {
        const { unit, seed, key } = job;
        const trial = await tryOut({ ...host, engine }, { ...shape, mechanism: unit, length: task.length, seed }, task, train); // prettier-ignore
        if (trial) await kept.addTrial(key, trial);
        else isStopped = true;
      }
    };
    await Promise.all(pool.engines.map(work));
    // Timed one after the other, when nothing is trained.
    for (const { unit, length, key } of costs) {
      if (isStopped || host.interruptSignal()?.aborted) break;
      if (!kept.cost(key)) await kept.addCost(key, await tryCost({ ...host, engine: pool.engines[0] }, { ...shape, mechanism: unit, length })); // prettier-ignore
    }
  } finally {
    pool.close();
  }
  const said = `${task.name}, ${train.steps} steps, ${seeds.length} seeds, 95 % intervals by Student's t`;
  return new Comparison({
    title: isStopped ? `${said}, stopped` : said,
    ...{ metric, length: task.length, steps: train.steps },
    trials: trials.flatMap(({ key }) => kept.trial(key) ?? []),
    measured: costs.flatMap(({ key }) => kept.cost(key) ?? []),
    costs: Object.fromEntries(units.map(({ name, cost }) => [name, cost ?? { time: "", state: "" }])),
  });
}

function unitOf(choice: MechanismChoice): Mechanism {
  if (typeof choice !== "string") return choice;
  const all: Readonly<Record<string, Mechanism>> = registry;
  if (!Object.hasOwn(all, choice)) throw new OptionError(`compare: unknown mechanism "${choice}"${knownNames(choice, Object.keys(all))}`); // prettier-ignore
  return all[choice];
}

type Shape = TransformerOptions & { readonly mechanism: Mechanism };

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Points of a loss curve that are kept of each training. */
const curvePoints = 200;

/** One training; what goes wrong is its result. Undefined where it was interrupted. */
async function tryOut(
  host: ComparisonHost,
  shape: Shape & { readonly seed: number },
  task: TokenTask,
  train: CompareOptions["train"],
): Promise<Trial | undefined> {
  const { name } = shape.mechanism;
  const common = { mechanism: name, seed: shape.seed };
  let parameters = NaN;
  const began = host.clock();
  try {
    const start = await host.make(host.engine, shape);
    parameters = start.parts().blueprint.tensors.reduce((sum, tensor) => sum + sizeOf(tensor.shape), 0);
    const { fit, test } = await trainOn(host, start, task, { ...train, title: `${name}, seed ${shape.seed}` });
    if (!fit.isFinished) return undefined;
    const losses = stretches(fit.losses, curvePoints).map((loss) => Number(loss.toPrecision(6)));
    return { ...common, values: test, parameters, msPerStep: (host.clock() - began) / fit.steps, losses };
  } catch (error) {
    return { ...common, values: {}, parameters, msPerStep: NaN, error: reasonOf(error) };
  }
}

/** Numbers that decoding holds of a text of the shape's length, all layers together; NaN where it cannot decode. */
function stateOf({ mechanism, mechanismOptions = {}, length }: Shape, model: Model): number {
  const { layers, heads, kvHeads, valueHeads, headDim, causal } = model;
  const sizes = {
    batch: 1,
    heads,
    keyHeads: kvHeads,
    valueHeads,
    headDim,
    valueDim: headDim,
    queries: 1,
    keys: length,
  };
  const each = optionsPerLayer(mechanismOptions, new Array<Mechanism>(layers).fill(mechanism));
  return causal ? each.reduce((sum, own) => sum + (stateNumbers(mechanism, sizes, own) ?? NaN), 0) : NaN;
}

/** What one forward pass costs; what goes wrong is the result. */
async function tryCost(host: ComparisonHost, shape: Shape): Promise<Cost> {
  const [{ name }, { length }] = [shape.mechanism, shape];
  try {
    const model = await host.make(host.engine, shape);
    const held = stateOf(shape, model);
    return { mechanism: name, stateNumbers: held, ...(await costOf(host, model, length)) };
  } catch (error) {
    return {
      mechanism: name,
      length,
      flops: NaN,
      activationBytes: NaN,
      ms: NaN,
      stateNumbers: NaN,
      error: reasonOf(error),
    };
  }
}
