import type { Mechanism } from "../attention/index.js";
import { mechanisms as registry } from "../attention/index.js";
import type { MechanismChoice, Model, TransformerOptions } from "../models/index.js";
import type { TokenTask } from "../tasks/index.js";
import {
  asciiBytes,
  asciiText,
  bytesIn,
  checkOptions,
  FormatError,
  knownNames,
  OptionError,
  sizeOf,
} from "../tensor/index.js";
import { fingerprint } from "./checkpoint.js";
import type { Trial } from "./comparison.js";
import { Comparison } from "./comparison.js";
import type { TrainingHost } from "./host.js";
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
  /** A file of results, kept up to date: what it holds is not trained again. */
  readonly record?: string;
}

interface Recorded {
  readonly key: string;
  readonly trial: Trial;
}

const format = "attention-lab comparison 1";

async function readRecord(host: TrainingHost, path: string): Promise<readonly Recorded[]> {
  const bytes = await host.read(path);
  if (!bytes) return [];
  let found: { readonly format?: unknown; readonly trials?: unknown } | undefined;
  try {
    found = JSON.parse(asciiText(bytes)) as typeof found;
  } catch {
    found = undefined;
  }
  if (found?.format !== format || !Array.isArray(found.trials))
    throw new FormatError(`compare: ${path} is no record of a comparison`);
  // JSON writes NaN as null.
  const number = (x: number | null): number => x ?? NaN;
  return (found.trials as readonly Recorded[]).map(({ key, trial }) => ({
    key,
    trial: { ...trial, parameters: number(trial.parameters), msPerStep: number(trial.msPerStep) },
  }));
}

function escaped(text: string): string {
  return text.replace(/[\u0080-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** Functions are told apart by their text. */
function keyOf(...parts: readonly unknown[]): string {
  return JSON.stringify(parts, (_, value: unknown) => (typeof value === "function" ? String(value) : value));
}

/** See `compare` of the facade. */
export async function compareOn(
  host: TrainingHost,
  make: (options: TransformerOptions) => Promise<Model>,
  mechanisms: readonly MechanismChoice[],
  task: TokenTask,
  options: CompareOptions,
): Promise<Comparison> {
  checkOptions("compare", options, ["model", "train", "seeds", "metric", "record"]);
  const { model, train, seeds = [0, 1, 2], metric = "accuracy", record } = options;
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

  const data = fingerprint(...Object.values(tokenTensors(task.batch(0, 4))).map((part) => bytesIn(part.data)));
  let known = record === undefined ? [] : await readRecord(host, record);
  const trials: Trial[] = [];
  for (const unit of units) {
    for (const seed of seeds) {
      const { optimiser, schedule, ...rest } = train;
      const rule = optimiser && { name: optimiser.name, ...optimiser.options };
      const key = keyOf(unit.name, String(unit.build), seed, model, rule, schedule, rest, task.name, data);
      const before = known.find((each) => each.key === key);
      if (before) {
        trials.push(before.trial);
        continue;
      }
      const shape = { ...model, mechanism: unit, vocabulary: task.vocabulary, length: task.length, seed };
      const trial = await tryOut(host, make, shape, task, train);
      if (!trial)
        return new Comparison({ title: `${title(task, options)}, stopped`, metric, trials, costs: costsOf(units) });
      trials.push(trial);
      known = [...known, { key, trial }];
      if (record !== undefined)
        await host.replace(record, asciiBytes(escaped(`${JSON.stringify({ format, trials: known }, undefined, 1)}\n`)));
    }
  }
  return new Comparison({ title: title(task, options), metric, trials, costs: costsOf(units) });
}

function unitOf(choice: MechanismChoice): Mechanism {
  if (typeof choice !== "string") return choice;
  const all: Readonly<Record<string, Mechanism>> = registry;
  if (!Object.hasOwn(all, choice)) throw new OptionError(`compare: unknown mechanism "${choice}"${knownNames(choice, Object.keys(all))}`); // prettier-ignore
  return all[choice];
}

function title(task: TokenTask, { seeds = [0, 1, 2], train }: CompareOptions): string {
  return `${task.name}, ${train.steps} steps, ${seeds.length} seeds, 95 % intervals by Student's t`;
}

function costsOf(units: readonly Mechanism[]): Record<string, { time: string; state: string }> {
  return Object.fromEntries(units.map(({ name, cost }) => [name, cost ?? { time: "", state: "" }]));
}

/** One training; what goes wrong is its result. Undefined where it was interrupted. */
async function tryOut(
  host: TrainingHost,
  make: (options: TransformerOptions) => Promise<Model>,
  shape: TransformerOptions & { readonly mechanism: Mechanism; readonly seed: number },
  task: TokenTask,
  train: CompareOptions["train"],
): Promise<Trial | undefined> {
  const name = shape.mechanism.name;
  const common = { mechanism: name, seed: shape.seed };
  let parameters = NaN;
  const began = host.clock();
  try {
    const start = await make(shape);
    parameters = start.parts().blueprint.tensors.reduce((sum, tensor) => sum + sizeOf(tensor.shape), 0);
    const { fit, test } = await trainOn(host, start, task, { ...train, title: `${name}, seed ${shape.seed}` });
    if (!fit.isFinished) return undefined;
    return { ...common, values: test, parameters, msPerStep: (host.clock() - began) / fit.steps };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { ...common, values: {}, parameters, msPerStep: NaN, error: message };
  }
}
