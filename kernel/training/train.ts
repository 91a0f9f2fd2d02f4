import type { Address, Model, Run } from "../models/index.js";
import type { TokenTask } from "../tasks/index.js";
import { checkOptions, OptionError, showWith } from "../tensor/index.js";
import type { Fit } from "./fit.js";
import { fitBundle } from "./fit.js";
import type { TrainingHost } from "./host.js";
import { batchTensors, logitsOf, tester, weightsOf, withWeights } from "./modelGraph.js";
import type { OptimiseOptions } from "./optimise.js";
import { optimiseOn, optimiseOptions } from "./optimise.js";
import type { Loss, Tensors } from "./stepGraph.js";
import { tokenLoss } from "./tokenLoss.js";

export interface TrainOptions extends Omit<OptimiseOptions, "evaluate" | "from"> {
  /** Rows per batch; default 64. */
  readonly batchSize?: number;
  /** Rows of the test split on which loss and accuracy are measured at each evaluation; default 256, 0 for none. */
  readonly testRows?: number;
  /** What else to measure at each evaluation. */
  readonly evaluate?: (model: Model, step: number) => Promise<Readonly<Record<string, number>>>;
  /** Runs to keep: of the first row of the test split, at these steps. */
  readonly capture?: { readonly steps: readonly number[]; readonly addresses?: readonly Address[] };
  /** A training to go on with. */
  readonly from?: Trained;
}

const own = ["batchSize", "testRows", "evaluate", "capture", "from"];

/** A run of the model as it was after so many steps. */
export interface Snapshot {
  readonly step: number;
  readonly run: Run;
}

/** What training made. Immutable; shows its loss. */
export class Trained {
  readonly model: Model;
  readonly fit: Fit;
  readonly task: TokenTask;
  readonly snapshots: readonly Snapshot[];

  constructor(model: Model, fit: Fit, task: TokenTask, snapshots: readonly Snapshot[]) {
    this.model = model;
    this.fit = fit;
    this.task = task;
    this.snapshots = snapshots;
  }

  /** What the last evaluation found on rows that were not learned from. */
  get test(): Readonly<Record<string, number>> {
    return this.fit.evaluations.at(-1)?.values ?? {};
  }
}

showWith(Trained.prototype, ({ fit }) => fitBundle(fit));

/** Throws OptionError where a model cannot be trained on a task. */
function check(model: Model, task: TokenTask): void {
  const { blueprint } = model.parts();
  if (blueprint.vocabulary < task.vocabulary.length)
    throw new OptionError(`train: ${task.name} has ${task.vocabulary.length} tokens, but ${model.name} knows ${blueprint.vocabulary}`); // prettier-ignore
  if (blueprint.positions < task.length)
    throw new OptionError(`train: rows of ${task.name} are ${task.length} tokens long, but ${model.name} reads ${blueprint.positions}`); // prettier-ignore
  if (blueprint.fixedLength !== undefined && blueprint.fixedLength !== task.length)
    throw new OptionError(`train: ${model.name} reads exactly ${blueprint.fixedLength} tokens, rows of ${task.name} have ${task.length}`); // prettier-ignore
  if (blueprint.decoder || blueprint.pictures || model.parts().weights.size === 0)
    throw new OptionError(
      `train: ${blueprint.architecture} cannot be trained yet; expected a model that reads token ids`,
    );
}

/** See `train` of the facade. */
export async function trainOn(
  host: TrainingHost,
  model: Model,
  task: TokenTask,
  options: TrainOptions,
): Promise<Trained> {
  checkOptions("train", options, [...own, ...optimiseOptions]);
  const { batchSize = 64, testRows = 256, evaluate, capture, from, ...rest } = options;
  check(model, task);
  const amounts = [["batchSize", batchSize, 1], ["testRows", testRows, 0]] as const; // prettier-ignore
  for (const [name, x, least] of amounts) {
    if (!Number.isSafeInteger(x) || x < least)
      throw new OptionError(`train: ${name} must be a whole number of at least ${least}, got ${String(x)}`);
  }
  const { blueprint, engine } = model.parts();
  const loss: Loss = (weights, { ids, targets, kinds }) =>
    tokenLoss(logitsOf(blueprint, weights, ids), targets, kinds && { kinds, names: task.parts });
  const snapshots: Snapshot[] = [...(from?.snapshots ?? [])];
  const keep = async (weights: Tensors, step: number): Promise<void> => {
    if (snapshots.some((held) => held.step === step)) return;
    const now = withWeights(model, weights);
    const inputIds = [task.row(0, "test").ids];
    snapshots.push({ step, run: await now.run({ inputIds }, { capture: capture?.addresses ?? [] }) });
    await now.dispose();
  };
  const parameters = await weightsOf(model);
  if (capture?.steps.includes(0)) await keep(parameters, 0);
  const tests = testRows > 0 ? await tester(engine, blueprint, task, { rows: testRows, batchSize }) : undefined;
  const fit = await optimiseOn(
    host,
    { parameters, loss, batch: (step) => batchTensors(task.batch(step, batchSize)) },
    {
      title: `${model.name} on ${task.name}`,
      ...rest,
      ...(from ? { from: from.fit } : {}),
      evaluate: async (weights, step) => ({
        ...(await tests?.test(weights)),
        ...(evaluate ? await evaluated(withWeights(model, weights), evaluate, step) : {}),
      }),
    },
    { at: capture?.steps ?? [], call: keep },
  ).finally(async () => tests?.dispose());
  return new Trained(withWeights(model, fit.parameters), fit, task, snapshots);
}

async function evaluated(
  model: Model,
  evaluate: NonNullable<TrainOptions["evaluate"]>,
  step: number,
): Promise<Readonly<Record<string, number>>> {
  try {
    return await evaluate(model, step);
  } finally {
    await model.dispose();
  }
}
