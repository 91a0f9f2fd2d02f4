import type { Tensor } from "../tensor/index.js";
import { UnsupportedError } from "../tensor/index.js";
import { bindShape } from "./dims.js";
import { bindFeeds } from "./feeds.js";
import { leavesOf, loopGroups } from "./loop.js";
import type { Dense } from "./op.js";
import { operators } from "./ops/index.js";
import { bodyOf, programOf } from "./program.js";
import type { Attributes, Loop, Value, WeightSource } from "./value.js";

type Sizes = Readonly<Record<string, number>>;

function bindAttributes(value: Value, sizes: Sizes): Attributes {
  const kinds = operators[value.op].attributes ?? {};
  return Object.fromEntries(
    Object.entries(value.attributes).map(([name, held]) => [
      name,
      kinds[name] === "dims" ? bindShape(value.op, held as readonly (number | string)[], sizes) : held,
    ]),
  );
}

/** Fills in, operands first, the results of operators and loops; those of leaves are there. */
function runValues(values: readonly Value[], results: Map<Value, Dense>, sizes: Sizes): void {
  const groups = loopGroups(values);
  for (const value of values) {
    if (results.has(value)) continue;
    const inputs = value.inputs.map((x) => results.get(x)!);
    if (value.loop) {
      const found = runLoop(value.loop, inputs, sizes);
      for (const own of groups.get(value)!) results.set(own, found[own.attributes["result"] as number]);
    } else if (value.file) {
      throw new UnsupportedError(`evaluate: "${value.label}" is computed by an ONNX file, which has no reference`);
    } else {
      results.set(value, operators[value.op].reference(inputs, bindAttributes(value, sizes)));
    }
  }
}

/** Every result of a loop, turn by turn. */
function runLoop(loop: Loop, inputs: readonly Dense[], sizes: Sizes): readonly Dense[] {
  const { state, slices, next, collect, reverse } = loop;
  const [times] = bindShape("repeat", [loop.times], sizes);
  const body = bodyOf(loop, [...next, ...collect]);
  let held = inputs.slice(0, state.length);
  const kept = collect.map(() => new Array<Float64Array>(times));
  const shapes = collect.map(({ shape }) => bindShape("repeat", shape, sizes));
  for (let t = 0; t < times; t++) {
    const at = reverse ? times - 1 - t : t;
    const own = inputs.slice(state.length, state.length + slices.length).map(({ shape, data }) => {
      const size = data.length / times;
      return { shape: shape.slice(1), data: data.slice(at * size, (at + 1) * size) };
    });
    const given = [...held, ...own, ...inputs.slice(state.length + slices.length)];
    const results = new Map(leavesOf(loop).map((leaf, i) => [leaf, given[i]]));
    runValues(body.values, results, sizes);
    const made = body.results.map((value) => results.get(value)!);
    held = made.slice(0, next.length);
    collect.forEach((_, i) => (kept[i][at] = made[next.length + i].data));
  }
  const joined = kept.map((parts, i) => ({
    shape: [times, ...shapes[i]],
    data: Float64Array.from(parts.flatMap((part) => [...part])),
  }));
  return [...held, ...joined];
}

/**
 * Runs a graph in plain float64 loops: the reference that everything faster is held to.
 *
 * Throws   UnsupportedError on a weight unless `weights` reads it
 */
export function evaluate(
  outputs: Readonly<Record<string, Value>>,
  feeds: Readonly<Record<string, Tensor>> = {},
  { weights }: { readonly weights?: (source: WeightSource) => ArrayLike<number> } = {},
): Record<string, Dense> {
  const program = programOf(outputs);
  const sizes = bindFeeds(program.inputs, feeds);
  const results = new Map<Value, Dense>();
  for (const value of program.values) {
    const { source } = value;
    if (source?.kind === "input") {
      const fed = feeds[source.name];
      results.set(value, { shape: fed.shape, data: fed.numbers() });
    } else if (source?.kind === "constant") {
      results.set(value, { shape: source.tensor.shape, data: source.tensor.numbers() });
    } else if (source?.kind === "weight") {
      if (!weights) throw new UnsupportedError(`evaluate: nothing reads the weight "${source.name}"; pass { weights }`);
      results.set(value, { shape: value.shape as readonly number[], data: Float64Array.from(weights(source)) });
    }
  }
  runValues(program.values, results, sizes);
  return Object.fromEntries(Object.entries(program.outputs).map(([name, value]) => [name, results.get(value)!]));
}
