import type { Address, Model, Run } from "../models/index.js";
import { checkOptions, OptionError, showWith } from "../tensor/index.js";
import type { Fit } from "./fit.js";
import { fitBundle } from "./fit.js";
import type { TrainingHost } from "./host.js";
import type { Task } from "./lesson.js";
import { lessonOf } from "./lesson.js";
import { tester, weightsOf, withWeights } from "./modelGraph.js";
import type { OptimiseOptions } from "./optimise.js";
import { optimiseOn, optimiseOptions } from "./optimise.js";
import type { PatternHistory } from "./patternHistory.js";
import { patternHistory } from "./patternHistory.js";
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
  readonly task: Task;
  readonly snapshots: readonly Snapshot[];

  constructor(model: Model, fit: Fit, task: Task, snapshots: readonly Snapshot[]) {
    this.model = model;
    this.fit = fit;
    this.task = task;
    this.snapshots = snapshots;
  }

  /** What the last evaluation found on rows that were not learned from. */
  get test(): Readonly<Record<string, number>> {
    return this.fit.evaluations.at(-1)?.values ?? {};
  }

  /**
   * The patterns of the kept steps as one head grid, a sample for each step: its chooser walks through the training, while the
   * head that is looked at stays.
   *
   * Throws   OptionError where no steps were kept (`capture`)
   * Example  await (await train(model, task, { steps: 500, capture: { steps: [0, 100, 500] } })).patterns()
   */
  async patterns(): Promise<PatternHistory> {
    return patternHistory(this.fit.title, this.model, this.snapshots);
  }
}

showWith(Trained.prototype, ({ fit }) => fitBundle(fit));

/** See `train` of the facade. */
export async function trainOn(host: TrainingHost, model: Model, task: Task, options: TrainOptions): Promise<Trained> {
  checkOptions("train", options, [...own, ...optimiseOptions]);
  const { batchSize = 64, testRows = 256, evaluate, capture, from, ...rest } = options;
  const { blueprint, engine, weights: held } = model.parts();
  if (held.size === 0) throw new OptionError(`train: ${model.name} keeps its weights in its file; expected one loaded from safetensors, or made here`); // prettier-ignore
  const lesson = lessonOf(blueprint, task, model.name);
  const amounts = [["batchSize", batchSize, 1], ["testRows", testRows, 0]] as const; // prettier-ignore
  for (const [name, x, least] of amounts) {
    if (!Number.isSafeInteger(x) || x < least)
      throw new OptionError(`train: ${name} must be a whole number of at least ${least}, got ${String(x)}`);
  }
  const loss: Loss = (weights, batch) => {
    const { logits, targets, kinds } = lesson.predictions(weights, batch);
    return tokenLoss(logits, targets, kinds);
  };
  const snapshots: Snapshot[] = [...(from?.snapshots ?? [])];
  const keep = async (weights: Tensors, step: number): Promise<void> => {
    if (snapshots.some((held) => held.step === step)) return;
    const now = withWeights(model, weights);
    snapshots.push({ step, run: await now.run(lesson.firstTest(), { capture: capture?.addresses ?? [] }) });
    await now.dispose();
  };
  const parameters = await weightsOf(model);
  if (capture?.steps.includes(0)) await keep(parameters, 0);
  const tests = testRows > 0 ? await tester(engine, blueprint, lesson, { rows: testRows, batchSize }) : undefined;
  const fit = await optimiseOn(
    host,
    { parameters, loss, batch: (step) => lesson.batch(step, batchSize) },
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
