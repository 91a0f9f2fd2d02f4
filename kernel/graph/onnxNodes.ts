import { asAxis, UnsupportedError } from "../tensor/index.js";
import { build } from "./build.js";
import { arrayNodes } from "./onnxArrayNodes.js";
import { reshapeTarget } from "./onnxShapes.js";
import type { NodeView } from "./onnxView.js";
import { numbers, only } from "./onnxView.js";
import type { Value } from "./value.js";

/** Axes, which are an operand in newer operator sets and an attribute in older ones. */
function axesOf(view: NodeView): readonly number[] | undefined {
  return numbers(view.sizes(1)) ?? view.ints("axes");
}

const reduction = (view: NodeView): Value => {
  const x = view.value(0);
  const given = axesOf(view);
  if ((given === undefined || given.length === 0) && view.int("noop_with_empty_axes", 0) === 1) return x;
  const axes = given && given.length > 0 ? given : x.shape.map((_, axis) => axis);
  const front = axes.map((axis) => asAxis(view.op, axis, x.shape.length));
  return front.length === 0 ? x : build.apply(view.op, [x], { axes: front, keepdims: view.int("keepdims", 1) });
};

function slice(view: NodeView): Value {
  const starts = numbers(view.sizes(1)) ?? [];
  const ends = numbers(view.sizes(2)) ?? [];
  const axes = numbers(view.sizes(3)) ?? starts.map((_, axis) => axis);
  const steps = numbers(view.sizes(4)) ?? starts.map(() => 1);
  if (steps.some((step) => step < 1))
    throw new UnsupportedError(`expected steps of at least 1, got [${steps.join(",")}]`);
  if ([ends, axes, steps].some(({ length }) => length !== starts.length)) {
    throw new UnsupportedError("starts, ends, axes and steps differ in length");
  }
  return axes.reduce((x, given, i) => {
    const axis = asAxis("Slice", given, x.shape.length);
    const length = x.shape[axis];
    if (typeof length !== "number") {
      if (starts[i] === 0 && ends[i] >= 2 ** 31 - 1 && steps[i] === 1) return x;
      throw new UnsupportedError(`axis "${length}" is known only when the graph runs`);
    }
    const clamp = (at: number): number => Math.min(Math.max(at < 0 ? at + length : at, 0), length);
    const start = clamp(starts[i]);
    return build.slice(x, axis, start, Math.max(clamp(ends[i]), start), steps[i]);
  }, view.value(0));
}

/** How each operator with attributes is read; operators without any are applied as they are. */
export const nodeBuilders: Readonly<Record<string, (view: NodeView) => Value>> = {
  Gelu: (view) => build.apply("Gelu", [view.value(0)], { approximate: view.text("approximate", "none") }),
  ...arrayNodes,
  Cast: (view) => build.cast(view.value(0), view.dtype("to")),
  ReduceSum: reduction,
  ReduceMean: reduction,
  ReduceMax: reduction,
  ReduceProd: reduction,
  Reshape: (view) => {
    const x = view.value(0);
    const target = view.sizes(1);
    if (!target) throw new UnsupportedError("the shape is left out");
    return build.reshape(x, reshapeTarget(x.shape, target, view.int("allowzero", 0) === 0));
  },
  Expand: (view) => build.expand(view.value(0), view.sizes(1) ?? []),
  Transpose: (view) => {
    const x = view.value(0);
    return build.transpose(x, view.ints("perm") ?? x.shape.map((_, axis) => x.shape.length - 1 - axis));
  },
  Unsqueeze: (view) => build.unsqueeze(view.value(0), axesOf(view) ?? []),
  Squeeze: (view) => {
    const x = view.value(0);
    return build.squeeze(x, axesOf(view) ?? x.shape.flatMap((dim, axis) => (dim === 1 ? [axis] : [])));
  },
  Concat: (view) =>
    build.concat(
      Array.from({ length: view.count }, (_, i) => view.value(i)),
      view.int("axis", 0),
    ),
  Slice: slice,
  Softmax: (view) => build.softmax(view.value(0), view.int("axis", -1)),
  LayerNormalization: (view) => {
    const x = view.value(0);
    if (view.count !== 3) throw new UnsupportedError(`expected 3 operands, got ${view.count}`);
    if (asAxis(view.op, view.int("axis", -1), x.shape.length) !== x.shape.length - 1) {
      throw new UnsupportedError("only the last axis can be normalised");
    }
    return build.layerNormalization(x, view.value(1), view.value(2), view.float("epsilon", 1e-5));
  },
  Gather: (view) => build.gather(view.value(0), view.value(1), view.int("axis", 0)),
  GatherND: (view) => {
    only(view, "batch_dims", 0);
    return build.gatherND(view.value(0), view.value(1));
  },
  ScatterND: (view) => {
    const kind = view.text("reduction", "none");
    if (kind !== "none" && kind !== "add") throw new UnsupportedError(`reduction "${kind}" is not handled`);
    return build.scatterND(view.value(0), view.value(1), view.value(2), kind);
  },
  FusedMatMul: (view) => {
    for (const name of ["transA", "transBatchA", "transBatchB"]) only(view, name, 0);
    if (view.float("alpha", 1) !== 1) throw new UnsupportedError("expected alpha 1");
    const b = view.value(1);
    const axes = b.shape.map((_, axis) => axis);
    const swapped = [...axes.slice(0, -2), axes.length - 1, axes.length - 2];
    return build.matMul(view.value(0), view.int("transB", 0) === 1 ? build.transpose(b, swapped) : b);
  },
};
