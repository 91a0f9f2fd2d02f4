import { asAxis, UnsupportedError } from "../tensor/index.js";
import { build } from "./build.js";
import type { NodeView } from "./onnxView.js";
import { numbers, only } from "./onnxView.js";
import type { Value } from "./value.js";

type Reader = (view: NodeView) => Value;

/** Elements of a pooling window: its offsets are written out one by one. */
const largestWindow = 4096;

/** Attributes of a convolution over the axes behind the first two. */
function windowOf(view: NodeView) {
  const axes = view.value(0).shape.length - 2;
  const padding = view.text("auto_pad", "NOTSET");
  if (padding !== "NOTSET") throw new UnsupportedError(`auto_pad "${padding}" is not handled; expected explicit pads`);
  const ones = new Array<number>(axes).fill(1);
  return {
    strides: view.ints("strides") ?? ones,
    pads: view.ints("pads") ?? new Array<number>(2 * axes).fill(0),
    dilations: view.ints("dilations") ?? ones,
    group: view.int("group", 1),
  };
}

/** A convolution, with its bias added as a value of its own. */
function biased(view: NodeView, product: Value): Value {
  if (view.count < 3) return product;
  const bias = view.value(2);
  const axes = product.shape.slice(2).map((_, axis) => axis + 1);
  return build.add(product, build.unsqueeze(bias, axes));
}

const pool =
  (op: "maxPool" | "averagePool"): Reader =>
  (view) => {
    const window = view.ints("kernel_shape") ?? [];
    const count = window.reduce((product, length) => product * length, 1);
    if (!(count >= 1 && count <= largestWindow)) throw new UnsupportedError(`a window of ${count} elements`);
    const { strides, pads, dilations } = windowOf(view);
    only(view, "ceil_mode", 0);
    if (dilations.some((step) => step !== 1)) throw new UnsupportedError("expected dilations of 1");
    if (op === "averagePool" && pads.some((width) => width > 0) && view.int("count_include_pad", 0) !== 1) {
      throw new UnsupportedError("means that leave the padding out are not handled; expected count_include_pad = 1");
    }
    const pairs = window.map((_, axis) => [pads[axis], pads[axis + window.length]] as const);
    return build[op](view.value(0), window, { strides, pads: pairs });
  };

/** A number that is known when the graph is built. */
function scalarOf(view: NodeView, i: number, otherwise: number): number {
  if (i >= view.count || view.isLeftOut(i)) return otherwise;
  const { source } = view.value(i);
  if (source?.kind !== "constant" || source.tensor.size !== 1) {
    throw new UnsupportedError(`operand ${i} is known only when the graph runs`);
  }
  return source.tensor.numbers()[0];
}

const all =
  (reduce: (a: Value, b: Value) => Value): Reader =>
  (view) =>
    Array.from({ length: view.count }, (_, i) => view.value(i)).reduce(reduce);

/** How nodes that choose, order, pad or slide over elements are read. */
export const arrayNodes: Readonly<Record<string, Reader>> = {
  Min: all(build.minimum),
  Max: all(build.maximum),
  Clip: (view) => build.clip(view.value(0), scalarOf(view, 1, -Infinity), scalarOf(view, 2, Infinity)),
  LogSoftmax: (view) => build.logSoftmax(view.value(0), view.int("axis", -1)),
  CumSum: (view) => {
    const [axis] = numbers(view.sizes(1)) ?? [];
    if (axis === undefined) throw new UnsupportedError("the axis is left out");
    const options = { exclusive: view.int("exclusive", 0) === 1, reverse: view.int("reverse", 0) === 1 };
    return build.cumSum(view.value(0), axis, options);
  },
  ArgMax: (view) => {
    only(view, "select_last_index", 0);
    return build.argMax(view.value(0), view.int("axis", 0), view.int("keepdims", 1) === 1);
  },
  Trilu: (view) => {
    const [diagonal = 0] = numbers(view.sizes(1)) ?? [];
    return build.triangle(view.value(0), { upper: view.int("upper", 1) === 1, diagonal });
  },
  Pad: (view) => {
    const x = view.value(0);
    const mode = view.text("mode", "constant");
    if (mode !== "constant") throw new UnsupportedError(`mode "${mode}" is not handled; expected "constant"`);
    const pads = numbers(view.sizes(1)) ?? [];
    const axes = (numbers(view.sizes(3)) ?? x.shape.map((_, i) => i)).map((axis) =>
      asAxis("Pad", axis, x.shape.length),
    );
    if (pads.length !== 2 * axes.length) throw new UnsupportedError("pads and axes differ in length");
    const widths = x.shape.map((_, axis) => {
      const i = axes.indexOf(axis);
      return i < 0 ? ([0, 0] as const) : ([pads[i], pads[i + axes.length]] as const);
    });
    return build.pad(x, widths, scalarOf(view, 2, 0));
  },
  Tile: (view) => build.tile(view.value(0), numbers(view.sizes(1)) ?? []),
  GatherElements: (view) => build.gatherElements(view.value(0), view.value(1), view.int("axis", 0)),
  ScatterElements: (view) => {
    const kind = view.text("reduction", "none");
    if (kind !== "none" && kind !== "add") throw new UnsupportedError(`reduction "${kind}" is not handled`);
    return build.scatterElements(view.value(0), view.value(1), view.value(2), view.int("axis", 0), kind);
  },
  Conv: (view) => biased(view, build.apply("Conv", [view.value(0), view.value(1)], windowOf(view))),
  ConvTranspose: (view) => {
    const window = windowOf(view);
    if (view.ints("output_shape")) throw new UnsupportedError("output_shape is not handled; expected pads");
    const output_padding = view.ints("output_padding") ?? window.strides.map(() => 0);
    const product = build.apply("ConvTranspose", [view.value(0), view.value(1)], { ...window, output_padding });
    return biased(view, product);
  },
  MaxPool: pool("maxPool"),
  AveragePool: pool("averagePool"),
};

/** How nodes with several results are read. */
export const severalBuilders: Readonly<Record<string, (view: NodeView) => readonly Value[]>> = {
  TopK: (view) => {
    const [k] = numbers(view.sizes(1)) ?? [];
    if (k === undefined) throw new UnsupportedError("the count is left out");
    const { values, indices } = build.topK(view.value(0), k, view.int("axis", -1), {
      largest: view.int("largest", 1) === 1,
    });
    return [values, indices];
  },
  Split: (view) => {
    const x = view.value(0);
    const axis = asAxis("Split", view.int("axis", 0), x.shape.length);
    const length = x.shape[axis];
    if (typeof length !== "number") throw new UnsupportedError(`axis "${length}" is known only when the graph runs`);
    const each = Math.ceil(length / view.resultCount);
    const given = numbers(view.sizes(1)) ?? Array.from({ length: view.resultCount }, () => each);
    let end = 0;
    return given.map((size) => build.slice(x, axis, Math.min(end, length), Math.min((end += size), length)));
  },
};
