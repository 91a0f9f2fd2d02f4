import { FormatError, formatShape, UnsupportedError } from "../tensor/index.js";
import { loopOf, loopResult, slot } from "./loop.js";
import type { AttributeProto, GraphProto } from "./proto/onnx_pb.js";
import type { Value } from "./value.js";

/** What a Scan says of itself. */
export interface LoopView {
  readonly attributes: ReadonlyMap<string, AttributeProto>;
  /** States first, then sequences. */
  readonly operands: readonly Value[];
  readonly int: (name: string, otherwise: number) => number;
  /** What the body computes from its leaves, in the order of its outputs. */
  readonly body: (graph: GraphProto, leaves: readonly Value[]) => readonly Value[];
}

/** What a leaf is called, without what the encoder puts around it. */
function labelOf(name: string): string {
  return (
    name
      .split("/")
      .filter((part) => part !== "Constant")
      .at(-1) ?? ""
  );
}

/** Whether a list of directions or axes is 1 everywhere; false where it is 0 everywhere or left out. */
function allOnes({ attributes }: LoopView, name: string): boolean {
  const held = attributes.get(name)?.ints ?? [];
  if (held.some((value) => value !== held[0]) || (held.length > 0 && held[0] !== 0n && held[0] !== 1n)) {
    throw new UnsupportedError(`${name} = ${held.join(",")}; expected the same number, 0 or 1, everywhere`);
  }
  return held[0] === 1n;
}

/** A result without the copy that only gives it a name: written again, it gets one anyway. */
export function bare(value: Value): Value {
  return value.op === "Identity" ? bare(value.inputs[0]) : value;
}

/**
 * The results of a Scan: the last of each state, then what each turn collects.
 *
 * Throws   FormatError where operands, body and results do not fit each other; UnsupportedError on axes other than the
 *          first, and on directions that differ
 */
export function readLoop(view: LoopView): readonly Value[] {
  const { attributes, operands, int, body } = view;
  const graph = attributes.get("body")?.g;
  if (!graph) throw new FormatError("expected a body");
  const states = operands.length - int("num_scan_inputs", 0);
  if (states < 0 || states >= operands.length) {
    throw new FormatError(`expected 1 … ${operands.length} sequences, got ${operands.length - states}`);
  }
  if (allOnes(view, "scan_input_axes") || allOnes(view, "scan_output_axes")) {
    throw new UnsupportedError("its sequences do not run along their first axis");
  }
  const [initial, sequences] = [operands.slice(0, states), operands.slice(states)];
  const [times] = sequences[0].shape;
  const uneven = sequences.find(({ shape }) => shape[0] !== times || times === undefined);
  if (uneven)
    throw new FormatError(`expected sequences of ${times ?? "some"} slices, got ${formatShape(uneven.shape)}`);
  const label = (at: number): string => labelOf(graph.input[at]?.name ?? "");
  const state = initial.map(({ dtype, shape }, i) => slot(label(i), dtype, shape));
  const slices = sequences.map(({ dtype, shape }, i) => slot(label(states + i), dtype, shape.slice(1)));
  if (graph.input.length !== operands.length) {
    throw new FormatError(`its body reads ${graph.input.length} values; expected ${operands.length}`);
  }
  const results = body(graph, [...state, ...slices]);
  const [next, collect] = [results.slice(0, states), results.slice(states)];
  if (next.length < states)
    throw new FormatError(`its body gives ${results.length} values; expected at least ${states}`);
  next.forEach((value, i) => {
    const [before, after] = [state[i], value].map(({ dtype, shape }) => `${formatShape(shape)} ${dtype}`);
    if (before !== after) throw new FormatError(`state "${label(i)}" must stay ${before}, got ${after}`);
  });
  const reverse = allOnes(view, "scan_input_directions");
  if (collect.length > 0 && reverse !== allOnes(view, "scan_output_directions")) {
    throw new UnsupportedError("sequences and what is collected run in different directions");
  }
  const { loop, inputs } = loopOf({ times, reverse, initial, sequences, state, slices, next, collect });
  return results.map((_, i) => loopResult(loop, inputs, i));
}
