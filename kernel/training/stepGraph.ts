import type { Value } from "../graph/index.js";
import { build, gradients, input, repeat } from "../graph/index.js";
import { OptionError, ShapeError } from "../tensor/index.js";
import type { Tensor } from "../tensor/index.js";
import type { Layout } from "./layout.js";
import type { Optimiser } from "./optimiser.js";

type Values = Readonly<Record<string, Value>>;
export type Tensors = Readonly<Record<string, Tensor>>;

/** A loss, and whatever else is to be watched, each a scalar. */
export type Loss = (parameters: Values, batch: Values) => Value | ({ readonly loss: Value } & Values);

export interface StepSpec {
  readonly layout: Layout;
  readonly optimiser: Optimiser;
  readonly loss: Loss;
  /** Any batch: all have its shapes. */
  readonly example: Tensors;
  /** Batches whose slopes are averaged for one step. */
  readonly accumulate: number;
  /** The length that slopes are cut down to; Infinity for none. */
  readonly clip: number;
}

/** Names of the graph's inputs and outputs. */
export const names = {
  batch: (name: string): string => `batch ${name}`,
  slot: (name: string): string => `slot ${name}`,
  metric: (name: string): string => `metric ${name}`,
  next: (name: string): string => `next ${name}`,
};

interface Measured {
  readonly values: Values;
  readonly slopes: Value;
}

/** Loss, metrics and slopes of one batch. */
function measure({ layout, loss }: StepSpec, weights: Value, batch: Values): Measured {
  const parameters = layout.cut(weights);
  const told = loss(parameters, batch);
  const values: Values = "op" in told && "shape" in told ? { loss: told as Value } : told;
  for (const [name, value] of Object.entries(values)) {
    if (value.shape.length !== 0 || value.dtype !== "float32")
      throw new ShapeError(`optimise: "${name}" must be a float32 number, got [${value.shape.join()}] ${value.dtype}`);
  }
  const found = gradients(
    values["loss"],
    layout.entries.map(({ name }) => parameters[name]),
  );
  return { values, slopes: layout.join(Object.fromEntries(layout.entries.map(({ name }, i) => [name, found[i]]))) };
}

/** The same averaged over several batches, one after the other, so that memory is that of one. */
function measureAll(spec: StepSpec, weights: Value, batches: Values): Measured {
  if (spec.accumulate === 1) return measure(spec, weights, batches);
  const start = build.expand(build.scalar(0), [spec.layout.size]);
  const { last, collected } = repeat(
    spec.accumulate,
    { sum: start },
    ({ sum }, batch: Values) => {
      const { values, slopes } = measure(spec, weights, batch);
      return { next: { sum: build.add(sum, slopes) }, collect: values };
    },
    { over: batches },
  );
  const values = Object.entries(collected).map(([name, value]) => [name, build.reduceMean(value)] as const);
  return { values: Object.fromEntries(values), slopes: build.div(last.sum, spec.accumulate) };
}

/**
 * Any number of training steps as one graph: it takes the state and a batch per step, and gives the state after the last
 * step and what was measured at each.
 *
 * Throws   ShapeError where loss or metrics are no scalars
 */
export function stepGraph(spec: StepSpec): Values {
  const { layout, optimiser, example, accumulate, clip } = spec;
  const block = (name: string): Value => input(name, "float32", [layout.size]);
  const scalarNames = Object.keys(optimiser.scalars(1));
  const outer = accumulate === 1 ? ["steps"] : ["steps", accumulate];
  const sequences: Record<string, Value> = {
    numbers: input("numbers", "float32", ["steps", 1 + scalarNames.length]),
  };
  for (const [name, { dtype, shape }] of Object.entries(example)) {
    if (name === "numbers") throw new OptionError('optimise: a part of a batch cannot be called "numbers"');
    sequences[name] = input(names.batch(name), dtype, [...outer, ...shape]);
  }
  const state: Record<string, Value> = { weights: block("weights") };
  for (const slot of optimiser.slots) state[slot] = block(names.slot(slot));
  const [rates, decay] = [layout.spread("rate"), layout.spread("decay")];
  const { last, collected } = repeat(
    "steps",
    state,
    (held: Values, { numbers, ...batch }: Values) => {
      const { values, slopes } = measureAll(spec, held["weights"], batch);
      const norm = build.sqrt(build.reduceSum(build.mul(slopes, slopes)));
      const cut = Number.isFinite(clip) ? build.mul(slopes, build.minimum(build.div(clip, build.add(norm, 1e-6)), 1)) : slopes; // prettier-ignore
      const number = (at: number): Value => build.reshape(build.slice(numbers, 0, at, at + 1), []);
      const { weights, slots } = optimiser.update({
        weights: held["weights"],
        slopes: cut,
        slots: held,
        rate: build.mul(rates, number(0)),
        decay,
        scalars: Object.fromEntries(scalarNames.map((name, at) => [name, number(at + 1)])),
      });
      const { loss, ...metrics } = values;
      const watched = Object.entries(metrics).map(([name, value]) => [names.metric(name), value] as const);
      return { next: { weights, ...slots }, collect: { loss, norm, ...Object.fromEntries(watched) } };
    },
    { over: sequences },
  );
  const nexts = Object.entries(last).map(([name, value]) => [names.next(name), value] as const);
  return { ...Object.fromEntries(nexts), ...(collected as Values) };
}
