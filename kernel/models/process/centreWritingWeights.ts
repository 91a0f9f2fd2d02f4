import type { Value } from "../../graph/index.js";
import { build } from "../../graph/index.js";
import { UnsupportedError } from "../../tensor/index.js";
import type { GraphReading } from "./graphReading.js";
import { isNumber, ValueSet } from "./graphReading.js";
import type { Step } from "./step.js";

/** A weight less its mean over an axis. */
export function centred(value: Value, axis: number): Value {
  return build.sub(value, build.reduceMean(value, [axis], true));
}

/** A weight that writes to the residual stream, and the axis that runs along the stream. */
interface Writer {
  readonly name: string;
  readonly axis: number;
}

/** The weight that writes a value of the stream; undefined where it is a sum or multiple of such values, or no weight does. */
function writerOf(graph: GraphReading, value: Value): Writer | undefined {
  const own = graph.nameOf(value);
  if (own !== undefined) return { name: own, axis: value.shape.length - 1 };
  const product = graph.productOf(value);
  if (product) return { name: product.name, axis: 1 - product.inputAxis };
  const table = value.op === "Gather" ? graph.nameOf(value.inputs[0]) : undefined;
  return table === undefined ? undefined : { name: table, axis: 1 };
}

/** Sums and multiples lead to what else writes to the stream. */
function partsOf({ op, inputs }: Value): readonly Value[] {
  if (op === "Add") return inputs;
  return op === "Mul" && isNumber(inputs[1]) ? [inputs[0]] : [];
}

/**
 * Every weight that writes to the residual stream less its mean over the stream's axis: layer norms take that mean away
 * anyway, so what they read stays.
 *
 * Throws   UnsupportedError where anything but layer norms reads the stream, or anything but weights writes to it
 * Source   Elhage et al. 2021, "A Mathematical Framework for Transformer Circuits", "Handling layer normalization"
 */
export const centreWritingWeights: Step = (graph, weights, { family, unembedding }) => {
  const refuse = (why: string): never => {
    throw new UnsupportedError(`centreWritingWeights: ${family}: ${why}`);
  };
  const norms = graph.addressed(/\b(ln\d\.normalized|ln_final)$/);
  if (!norms.some(([address]) => address.endsWith(".normalized")))
    refuse("no norm stands before what attention and MLP read");
  const stream = new ValueSet();
  const writers = new Map<string, Writer>();
  const visit = (value: Value): void => {
    if (!stream.add(value)) return;
    const writer = writerOf(graph, value);
    const parts = partsOf(value);
    if (writer) writers.set(writer.name, writer);
    else if (parts.length === 0)
      refuse(`"${value.label ?? value.op}" writes to the stream, and has no weight to centre`);
    else parts.forEach(visit);
  };
  for (const [address, value] of norms) {
    if (value.op !== "LayerNormalization") refuse(`"${address}" does not take the mean of the stream away`);
    visit(value.inputs[0]);
  }
  for (const value of stream) {
    const isFine = graph
      .readersOf(value)
      .every(
        (reader) => stream.has(reader.value) || (reader.value.op === "LayerNormalization" && reader.operand === 0),
      );
    if (!isFine || graph.isOutput(value)) refuse(`"${value.label ?? value.op}" is read by more than layer norms`);
  }

  const changed = new Map(weights);
  const last = graph.unembedding();
  for (const { name, axis } of writers.values()) {
    const stored = weights.get(name)!;
    for (const reader of graph.readersOf(stored)) {
      const inStream =
        stream.has(reader.value) || graph.readersOf(reader.value).every(({ value }) => stream.has(value));
      if (inStream) continue;
      // An unembedding that is the embedding table stays as it was, as a matrix of its own.
      if (last?.name !== name || unembedding === undefined) refuse(`"${name}" does more than write to the stream`);
      changed.set(`${unembedding}.weight`, build.apply("Identity", [stored]));
    }
    changed.set(name, centred(stored, axis));
  }
  return { weights: changed, done: `centreWritingWeights: ${writers.size} weights` };
};
