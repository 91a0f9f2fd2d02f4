import type { CancelSignal, Compiled } from "../graph/index.js";
import { encodeOnnx, programOf } from "../graph/index.js";
import {
  asciiBytes,
  bytesIn,
  checkOptions,
  EngineError,
  joinBytes,
  OptionError,
  ShapeError,
  Tensor,
  wholeNumber,
} from "../tensor/index.js";
import type { Evaluation, Identity, State } from "./checkpoint.js";
import { decodeCheckpoint, encodeCheckpoint, fingerprint } from "./checkpoint.js";
import { DivergedError, FailedStepError, Fit } from "./fit.js";
import type { TrainingHost } from "./host.js";
import type { ParameterGroup } from "./layout.js";
import { Layout } from "./layout.js";
import type { Optimiser } from "./optimiser.js";
import { adam } from "./optimisers/index.js";
import type { Schedule } from "./schedule.js";
import { constantRate } from "./schedule.js";
import type { Loss, Tensors } from "./stepGraph.js";
import { names, stepGraph } from "./stepGraph.js";

/** Something to make small. */
export interface Problem {
  readonly parameters: Readonly<Record<string, Tensor>>;
  /** Written in the graph language; metrics beside the loss are recorded at each step. */
  readonly loss: Loss;
  /** The data of a step, 0, 1, …; a function of its number, so that a run can be repeated and go on. */
  readonly batch: (step: number) => Tensors;
}

export interface OptimiseOptions {
  readonly steps: number;
  /** Default `adam()`. */
  readonly optimiser?: Optimiser;
  /** Default `constantRate()`. */
  readonly schedule?: Schedule;
  /** Slopes longer than this are cut down to it; default none are. */
  readonly clip?: number;
  /** Batches whose slopes are averaged for one step; default 1. Step s reads batches s·k … s·k + k − 1. */
  readonly accumulate?: number;
  /** Parameters with a rate or decay of their own. */
  readonly groups?: readonly ParameterGroup[];
  /** A file that is kept up to date and from which the same call goes on. */
  readonly checkpoint?: string;
  /** Steps between two checkpoints; default 100. */
  readonly checkpointEvery?: number;
  /** Called every so many steps, and at the end, with what was learned so far; what it returns is recorded. */
  readonly evaluate?: (parameters: Fit["parameters"], step: number) => Promise<Readonly<Record<string, number>>>;
  /** Steps between two evaluations; default only at the end. */
  readonly evaluateEvery?: number;
  /** Steps in one run of the device; by default as many as take about half a second. */
  readonly stepsPerRun?: number;
  /** A run to go on with. */
  readonly from?: Fit;
  /** Default `"training"`. */
  readonly title?: string;
  /** Stops between two runs of the device; what was reached is returned. */
  readonly signal?: CancelSignal;
}

/** Names of the options. */
export const optimiseOptions: readonly string[] = [
  ...["steps", "optimiser", "schedule", "clip", "accumulate", "groups", "checkpoint", "checkpointEvery", "evaluate"],
  ...["evaluateEvery", "stepsPerRun", "from", "title", "signal"],
];

/** Something to do with what was learned at certain steps. */
export interface Watch {
  readonly at: readonly number[];
  readonly call: (parameters: Fit["parameters"], step: number) => Promise<void>;
}

/** How long one run of the device should take: an interrupt waits that long. */
const runMs = 500;

function shapesOf(tensors: Tensors): string {
  return Object.entries(tensors).map(([name, { dtype, shape }]) => `${name} [${shape.join()}] ${dtype}`).sort().join(", "); // prettier-ignore
}

/** One part of the batches of several steps as one tensor. */
function stacked(parts: readonly Tensor[], outer: readonly number[]): Tensor {
  const [{ dtype, shape }] = parts;
  const bytes = joinBytes(parts.map(({ data }) => bytesIn(data)));
  const view = new (parts[0].data.constructor as new (buffer: ArrayBufferLike) => Tensor["data"])(bytes.buffer);
  return new Tensor(dtype, [...outer, ...shape], view);
}

/**
 * Makes a loss small, step by step, several steps in one run of the device. The same seeds give the same curve, bit for bit,
 * however the steps are spread over runs, interrupts and checkpoints.
 *
 * Throws   OptionError, ShapeError on options or data that do not fit; DivergedError where the loss stops being a number:
 *          it holds the run as it was before, as does FailedStepError where the engine gives up, for want of memory for one
 */
export async function optimiseOn(
  host: TrainingHost,
  problem: Problem,
  options: OptimiseOptions,
  watch: Watch = { at: [], call: async () => Promise.resolve() },
): Promise<Fit> {
  checkOptions("optimise", options, optimiseOptions);
  const {
    optimiser = adam(),
    schedule = constantRate(),
    clip = Infinity,
    groups,
    checkpoint,
    evaluate,
    from,
  } = options;
  const { title = "training", signal = host.interruptSignal() } = options;
  const steps = wholeNumber("optimise", "steps", options.steps);
  const accumulate = wholeNumber("optimise", "accumulate", options.accumulate ?? 1);
  const checkpointEvery = wholeNumber("optimise", "checkpointEvery", options.checkpointEvery ?? 100);
  const evaluateEvery = wholeNumber("optimise", "evaluateEvery", options.evaluateEvery ?? steps);
  if (options.stepsPerRun !== undefined) wholeNumber("optimise", "stepsPerRun", options.stepsPerRun);
  if (!(clip > 0)) throw new OptionError(`optimise: clip must be a number above 0, got ${String(clip)}`);

  const layout = new Layout(problem.parameters, optimiser, groups);
  const example = problem.batch(0);
  const outputs = stepGraph({ layout, optimiser, loss: problem.loss, example, accumulate, clip });
  const identity: Identity = {
    parameters: layout.entries.map(({ name, shape }) => `${name} [${shape.join()}]`).join(", "),
    optimiser: { name: optimiser.name, ...optimiser.options },
    batch: fingerprint(asciiBytes(shapesOf(example)), ...Object.values(example).map(({ data }) => bytesIn(data))),
    graph: fingerprint(encodeOnnx(programOf(outputs)).bytes),
    start: fingerprint(...layout.entries.map(({ name }) => bytesIn(problem.parameters[name].data))),
  };
  const rateAt = (step: number): number => {
    const rate = optimiser.rate * schedule(step, steps);
    if (rate >= 0 && Number.isFinite(rate)) return rate;
    throw new OptionError(`optimise: the rate of step ${step} must be a number of at least 0, got ${String(rate)}`);
  };

  const saved = checkpoint === undefined ? undefined : await host.read(checkpoint);
  let state: State = from
    ? continued(from, identity)
    : saved
      ? decodeCheckpoint(checkpoint!, saved, identity)
      : firstState(layout, optimiser, problem.parameters);
  const fitOf = (now: State): Fit => new Fit({ title, layout, state: now, identity, asked: steps });
  let done = state.curves["loss"]?.length ?? 0;
  state.curves["rate"]?.forEach((rate, step) => {
    if (rate !== Math.fround(rateAt(step)))
      throw new OptionError(
        `optimise: the run so far had rate ${rate} at step ${step}, this schedule has ${rateAt(step)}; it could not go on as it began`,
      );
  });
  if (done >= steps) return fitOf(state);

  const save = async (now: State): Promise<void> => {
    if (checkpoint !== undefined) await host.replace(checkpoint, encodeCheckpoint(now, identity));
  };
  const feedsOf = (count: number): Tensors => {
    const scalars = Array.from({ length: count }, (_, i) => [
      rateAt(done + i),
      ...Object.values(optimiser.scalars(done + i + 1)),
    ]);
    const batches = Array.from({ length: count * accumulate }, (_, i) => problem.batch(done * accumulate + i));
    const wrong = batches.find((batch) => shapesOf(batch) !== shapesOf(example));
    if (wrong)
      throw new ShapeError(`optimise: all batches must have one shape; expected ${shapesOf(example)}, got ${shapesOf(wrong)}`); // prettier-ignore
    const outer = accumulate === 1 ? [count] : [count, accumulate];
    return {
      numbers: new Tensor("float32", [count, scalars[0].length], Float32Array.from(scalars.flat())),
      ...Object.fromEntries(
        Object.keys(example).map((name) => [
          names.batch(name),
          stacked(
            batches.map((batch) => batch[name]),
            outer,
          ),
        ]),
      ),
    };
  };

  const compiled = await host.engine.compile(outputs, signal ? { signal } : {});
  const report = host.report(title);
  let msPerStep = NaN;
  let count = options.stepsPerRun ?? 1;
  const fitsUntil = (every: number): number => every - (done % every);
  try {
    while (done < steps && !signal?.aborted) {
      const next = Math.min(...watch.at.map((step) => (step > done ? step - done : Infinity)));
      const chunk = Math.min(count, steps - done, next, fitsUntil(checkpointEvery), fitsUntil(evaluateEvery));
      const began = host.clock();
      const after = await runSteps(compiled, state, feedsOf(chunk), chunk).catch(async (error: unknown) => {
        if (!(error instanceof EngineError)) throw error;
        await save(state);
        const kept = `the state after ${done} steps is kept in this error's fit${checkpoint === undefined ? "" : ` and in ${checkpoint}`}`;
        throw new FailedStepError(`${title}: step ${done} could not be run: ${error.message}; ${kept}; smaller batches take less memory, and accumulate makes up for them`, fitOf(state), error); // prettier-ignore
      });
      const spent = (host.clock() - began) / chunk;
      msPerStep = Number.isNaN(msPerStep) ? spent : 0.7 * msPerStep + 0.3 * spent;
      const bad = firstBad(after, done);
      if (bad !== undefined) {
        await save(state);
        const [what, step] = bad;
        throw new DivergedError(
          `${title}: the ${what} of step ${step} is not a number (rate ${rateAt(step)}); the state after ${done} steps is kept in this error's fit${checkpoint === undefined ? "" : ` and in ${checkpoint}`}; lower the rate, or clip`,
          fitOf(state),
        );
      }
      const rates = Float32Array.from({ length: chunk }, (_, i) => rateAt(done + i));
      state = { ...after, curves: { ...after.curves, rate: appended(state.curves["rate"], rates) } };
      done += chunk;
      if (options.stepsPerRun === undefined) count = Math.min(256, 2 * count, Math.max(1, Math.round(runMs / spent)));
      if (watch.at.includes(done)) await watch.call(layout.unpack(state.blocks["weights"]), done);
      if (evaluate && (done % evaluateEvery === 0 || done === steps)) {
        const values = await evaluate(layout.unpack(state.blocks["weights"]), done);
        const told: Evaluation = { step: done, values };
        state = { ...state, evaluations: [...state.evaluations, told] };
      }
      if (done % checkpointEvery === 0 || done === steps) await save(state);
      report.update(fitOf(state), { msPerStep });
    }
    if (done < steps) await save(state);
    return fitOf(state);
  } finally {
    report.finish(fitOf(state), { msPerStep });
    await compiled.dispose();
  }
}

function firstState(layout: Layout, { slots }: Optimiser, parameters: Tensors): State {
  const zeros = (): Tensor => new Tensor("float32", [layout.size], new Float32Array(layout.size));
  const none = new Float32Array(0);
  return {
    blocks: { weights: layout.pack(parameters), ...Object.fromEntries(slots.map((slot) => [slot, zeros()])) },
    curves: { loss: none, norm: none },
    evaluations: [],
  };
}

function continued(fit: Fit, identity: Identity): State {
  const before = fit.parts();
  const differing = Object.keys(identity).filter(
    (name) => JSON.stringify(identity[name]) !== JSON.stringify(before.identity[name]),
  );
  if (differing.length > 0)
    throw new OptionError(
      `optimise: "from" is another run: ${differing.join(", ")} differ; it could not go on as it began`,
    );
  return before.state;
}

function appended(before: Float32Array | undefined, more: Float32Array): Float32Array {
  const all = new Float32Array((before?.length ?? 0) + more.length);
  all.set(before ?? []);
  all.set(more, before?.length ?? 0);
  return all;
}

async function runSteps(compiled: Compiled, state: State, feeds: Tensors, count: number): Promise<State> {
  const { weights, ...slots } = state.blocks;
  const held = Object.entries(slots).map(([name, block]) => [names.slot(name), block] as const);
  const results = await compiled.run({ ...feeds, weights, ...Object.fromEntries(held) });
  const blocks = Object.keys(state.blocks).map((name) => [name, results[names.next(name)]] as const);
  const curves = Object.entries(results).flatMap(([name, tensor]) => {
    if (name.startsWith(names.next(""))) return [];
    const plain = name.startsWith(names.metric("")) ? name.slice(names.metric("").length) : name;
    if (tensor.size !== count)
      throw new EngineError(`optimise: expected ${count} values of "${plain}", got ${tensor.size}`);
    return [[plain, appended(state.curves[plain], tensor.data as Float32Array)] as const];
  });
  return { ...state, blocks: Object.fromEntries(blocks), curves: Object.fromEntries(curves) };
}

/** Which of the new losses and slopes is the first that is not a number. */
function firstBad({ blocks, curves }: State, done: number): readonly [what: string, step: number] | undefined {
  const steps = curves["loss"].length;
  for (let step = done; step < steps; step++) {
    if (!Number.isFinite(curves["loss"][step])) return ["loss", step];
    if (!Number.isFinite(curves["norm"][step])) return ["slope", step];
  }
  return (blocks["weights"].data as Float32Array).every(Number.isFinite) ? undefined : ["change", steps - 1];
}
