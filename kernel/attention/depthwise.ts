import type { Value } from "../graph/index.js";
import { build } from "../graph/index.js";
import type { ParameterSpec, Sizes } from "./mechanism.js";
import { fromPicture, toPicture } from "./grid.js";
import type { Rows } from "./reference.js";

/** Which kernels of a whole parameter are meant, and on what picture. */
export interface DepthwisePlace {
  readonly head: number;
  readonly width: number;
  readonly grid: readonly [number, number];
  readonly dilation?: number;
}

/** Kernel and bias of a convolution of each channel of the values with a kernel of its own; none for a width of 0. */
export function depthwiseParameters({ heads, valueDim }: Sizes, width: number): Record<string, ParameterSpec> {
  if (width === 0) return {};
  return {
    kernel: { shape: [heads, valueDim, width, width], initial: { std: 0.02 } },
    kernelBias: { shape: [heads, valueDim], initial: 0 },
  };
}

/**
 * Each channel convolved with its own kernel; beyond the border is 0.
 *
 * Shapes   x [B,H,T,E], kernel [H,E,w,w] → [B,H,T,E]
 */
export function depthwise(x: Value, kernel: Value, grid: readonly [number, number], dilation = 1): Value {
  const [heads, channels, width] = kernel.shape as [number, number, number];
  const reach = dilation * (width - 1);
  const pad: [number, number] = [Math.floor(reach / 2), Math.ceil(reach / 2)];
  const filters = build.reshape(kernel, [heads * channels, 1, width, width]);
  const options = { pads: [pad, pad], dilations: [dilation, dilation], groups: heads * channels };
  return fromPicture(build.conv(toPicture(x, grid), filters, options), heads);
}

/** The same in plain loops over one head's rows [T][E]; `kernel` is the whole parameter. */
export function depthwiseRows(
  x: Rows,
  kernel: readonly number[],
  { head, width, grid, dilation = 1 }: DepthwisePlace,
): number[][] {
  const [rows, columns] = grid;
  const before = Math.floor((dilation * (width - 1)) / 2);
  return x.map((row, token) =>
    row.map((_, e) => {
      let sum = 0;
      for (let a = 0; a < width; a++)
        for (let b = 0; b < width; b++) {
          const r = Math.floor(token / columns) + dilation * a - before;
          const c = (token % columns) + dilation * b - before;
          if (r < 0 || c < 0 || r >= rows || c >= columns) continue;
          sum += kernel[((head * row.length + e) * width + a) * width + b] * x[r * columns + c][e];
        }
      return sum;
    }),
  );
}
