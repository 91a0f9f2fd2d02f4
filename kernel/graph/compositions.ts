import type { DType } from "../tensor/index.js";
import { formatShape, OptionError, packNumbers, ShapeError, Tensor } from "../tensor/index.js";
import type { Build, ConvOptions, PoolOptions } from "./builder.js";
import { productOf } from "./dims.js";
import { constant } from "./ops/index.js";
import type { Value } from "./value.js";

function flatPads(pads: readonly (readonly [number, number])[]): number[] {
  return [...pads.map(([before]) => before), ...pads.map(([, after]) => after)];
}

export function sign(build: Build, x: Value): Value {
  return build.sub(build.cast(build.greater(x, 0), x.dtype), build.cast(build.less(x, 0), x.dtype));
}

export function clip(build: Build, x: Value, low: number, high: number): Value {
  if (!(low <= high)) throw new OptionError(`clip: expected low ≤ high, got ${low} and ${high}`);
  // The derivative is 1 on the bounds too; what is no number stays so.
  const capped = build.where(build.greater(x, high), high, x);
  return build.where(build.less(x, low), low, capped);
}

export function logSumExp(build: Build, x: Value, axes: readonly number[] | undefined, keepDims = false): Value {
  const all = axes ?? x.shape.map((_, axis) => axis);
  const max = build.reduceMax(x, all, true);
  // Where every element is −∞ the maximum is no number to subtract.
  const top = build.where(build.greater(max, -Infinity), max, 0);
  const kept = build.add(build.log(build.reduceSum(build.exp(build.sub(x, top)), all, true)), top);
  return keepDims || all.length === 0 ? kept : build.squeeze(kept, all);
}

/** `x` between two blocks that hold one number everywhere. */
function framed(build: Build, x: Value, axis: number, [before, after]: readonly [number, number], fill: number): Value {
  const edge = (width: number): Value[] =>
    width === 0 ? [] : [build.expand(build.scalar(fill, x.dtype), x.shape.with(axis, width))];
  return before === 0 && after === 0 ? x : build.concat([...edge(before), x, ...edge(after)], axis);
}

export function pad(build: Build, x: Value, widths: readonly (readonly [number, number])[], fill: number): Value {
  if (fill === 0) return build.apply("Pad", [x], { pads: flatPads(widths) });
  return widths.reduce((whole, width, axis) => framed(build, whole, axis, width, fill), x);
}

export function tile(build: Build, x: Value, times: readonly number[]): Value {
  if (times.length !== x.shape.length) {
    throw new ShapeError(
      `tile: expected ${x.shape.length} counts for ${formatShape(x.shape)}, got [${times.join(",")}]`,
    );
  }
  const apart = build.unsqueeze(
    x,
    x.shape.map((_, axis) => 2 * axis),
  );
  const wide = build.expand(
    apart,
    x.shape.flatMap((dim, axis) => [times[axis], dim]),
  );
  return build.reshape(
    wide,
    x.shape.map((dim, axis) => productOf([times[axis], dim])),
  );
}

export function oneHot(build: Build, ids: Value, depth: number, dtype: DType): Value {
  const positions = new Tensor(
    "int32",
    [depth],
    Int32Array.from({ length: depth }, (_, i) => i),
  );
  const own = build.unsqueeze(build.cast(ids, "int32"), [ids.shape.length]);
  return build.cast(build.equal(own, constant(positions)), dtype);
}

export function conv(build: Build, x: Value, w: Value, options: ConvOptions): Value {
  const ones = w.shape.slice(2).map(() => 1);
  const { strides = ones, pads = ones.map(() => [0, 0] as const), dilations = ones, groups = 1 } = options;
  return build.apply("Conv", [x, w], { strides, pads: flatPads(pads), dilations, group: groups });
}

export function averagePool(
  build: Build,
  x: Value,
  window: readonly number[],
  { strides = window, pads = window.map(() => [0, 0] as const) }: PoolOptions,
): Value {
  const [batch, channels, ...spatial] = x.shape;
  if (spatial.length !== window.length) {
    throw new ShapeError(`averagePool: a window [${window.join(",")}] does not fit ${formatShape(x.shape)}`);
  }
  const count = window.reduce((product, length) => product * length, 1);
  const mean = new Array<number>(count).fill(1 / count);
  const kernel = constant(new Tensor(x.dtype, [1, 1, ...window], packNumbers(x.dtype, mean)));
  // Channels are pooled alike, as if each were a batch of its own.
  const apart = build.reshape(x, [productOf([batch, channels]), 1, ...spatial]);
  const pooled = build.conv(apart, kernel, { strides, pads });
  return build.reshape(pooled, [batch, channels, ...pooled.shape.slice(2)]);
}

export function maxPool(
  build: Build,
  x: Value,
  window: readonly number[],
  { strides = window, pads = window.map(() => [0, 0] as const) }: PoolOptions,
): Value {
  if (x.shape.length !== window.length + 2) {
    throw new ShapeError(`maxPool: a window [${window.join(",")}] does not fit ${formatShape(x.shape)}`);
  }
  // One axis at a time: the largest of the elements at each offset.
  return window.reduce((whole, length, i) => {
    const axis = i + 2;
    const [before, after] = pads[i];
    const dim = whole.shape[axis];
    if (typeof dim !== "number" || dim + before + after < length || before >= length || after >= length) {
      throw new ShapeError(`maxPool: a window of ${length} does not fit axis ${axis} of ${formatShape(x.shape)}`);
    }
    const padded = framed(build, whole, axis, pads[i], -Infinity);
    const last = dim + before + after - length;
    const taken = Array.from({ length }, (_, at) => build.slice(padded, axis, at, at + last + 1, strides[i]));
    return taken.reduce((a, b) => build.maximum(a, b));
  }, x);
}
