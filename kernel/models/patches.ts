import type { Value } from "../graph/index.js";
import { build } from "../graph/index.js";
import { formatShape, OptionError, ShapeError, Tensor } from "../tensor/index.js";
import type { Field } from "./config.js";
import type { GraphContext, InputSpec, TensorSpec } from "./family.js";
import type { Patches, PatchGrid } from "./patchGrid.js";
import { trainedGrid, trainedPositions } from "./patchGrid.js";

/** Height and width, in pixels: one number for both, or a pair. */
export function sides(fallback: number): Field<readonly [height: number, width: number]> {
  const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) > 0;
  return {
    read: (value) => {
      if (isCount(value)) return [value, value];
      return Array.isArray(value) && value.length === 2 && value.every(isCount)
        ? (value as unknown as readonly [number, number])
        : undefined;
    },
    fallback: [fallback, fallback],
    expected: "a number of pixels, or a pair of them",
  };
}

/** The graph inputs of a model that reads pictures as prompts, or of a tower beside a text: its size is fixed. */
export function patchInputs(grid: PatchGrid, batch: "batch" | "picture"): readonly InputSpec[] {
  const { channels, patchHeight, patchWidth } = grid;
  const token = batch === "batch" ? "query" : trainedPositions(grid);
  return [
    { name: "patches", dtype: "float32", shape: [batch, token, channels * patchHeight * patchWidth] },
    { name: "position_mix", dtype: "float32", shape: [token, trainedPositions(grid)] },
  ];
}

/** What the tokens of each picture are called: `[CLS]`, then `r0c1` for row 0, column 1. */
export function pictureLabels({ hasClass }: PatchGrid, { pictures, rows, columns }: Patches): string[][] {
  const patches = Array.from({ length: rows * columns }, (_, i) => `r${Math.floor(i / columns)}c${i % columns}`);
  return Array.from({ length: pictures }, () => (hasClass ? ["[CLS]", ...patches] : patches));
}

/** The cubic of Keys 1981 with the free parameter that PyTorch takes, at 1 + t, t, 1 − t, 2 − t. */
function cubicWeights(t: number): readonly number[] {
  const a = -0.75;
  const near = (x: number): number => ((a + 2) * x - (a + 3)) * x * x + 1;
  const far = (x: number): number => ((a * x - 5 * a) * x + 8 * a) * x - 4 * a;
  return [far(t + 1), near(t), near(1 - t), far(2 - t)];
}

/**
 * How much each of `from` samples weighs in each of `to`, as PyTorch's bicubic `interpolate` without aligned corners.
 *
 * Shapes   → [to,from]
 */
function interpolation(from: number, to: number): Float64Array[] {
  return Array.from({ length: to }, (_, i) => {
    const row = new Float64Array(from);
    const place = ((i + 0.5) * from) / to - 0.5;
    const first = Math.floor(place);
    cubicWeights(place - first).forEach((weight, j) => {
      row[Math.min(Math.max(first - 1 + j, 0), from - 1)] += weight;
    });
    return row;
  });
}

/** Weights of the trained positions in those of this picture, [token, trained]; the class token keeps its own. */
function positionMix(grid: PatchGrid, rows: number, columns: number): Tensor {
  const [trainedRows, trainedColumns] = trainedGrid(grid);
  const first = grid.hasClass ? 1 : 0;
  const trained = trainedPositions(grid);
  const data = new Float32Array((rows * columns + first) * trained);
  if (first === 1) data[0] = 1;
  const vertical = interpolation(trainedRows, rows);
  const horizontal = interpolation(trainedColumns, columns);
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < columns; c++) {
      const start = (r * columns + c + first) * trained + first;
      vertical[r].forEach((a, i) =>
        horizontal[c].forEach((b, j) => {
          data[start + i * trainedColumns + j] = a * b;
        }),
      );
    }
  }
  return new Tensor("float32", [rows * columns + first, trained], data);
}

/**
 * Pixel values as a model reads them.
 *
 * Shapes   pixelValues [picture,channel,height,width] float32
 * Throws   OptionError, ShapeError unless number of channels, height and width fit the model
 */
export function cutPatches(pixelValues: unknown, grid: PatchGrid, architecture: string): Patches {
  if (!(pixelValues instanceof Tensor)) {
    throw new OptionError(
      `run: pixelValues must be a Tensor, got ${pixelValues === null ? "null" : typeof pixelValues}`,
    );
  }
  const { channels, patchHeight, patchWidth, interpolates, hasClass } = grid;
  const { shape, dtype, data } = pixelValues as Tensor;
  if (dtype !== "float32") throw new OptionError(`run: pixelValues must be float32, got ${dtype}`);
  const [pictures, channelCount, height, width] = shape;
  const isRight = interpolates
    ? height >= patchHeight && width >= patchWidth
    : height === grid.height && width === grid.width;
  if (shape.length !== 4 || pictures < 1 || channelCount !== channels || !isRight) {
    const expected = interpolates ? "height,width" : `${grid.height},${grid.width}`;
    const least = interpolates ? ` with at least ${patchHeight} × ${patchWidth} pixels` : "";
    throw new ShapeError(
      `run: pixelValues of ${architecture} must have the shape [picture,${channels},${expected}]${least}, got ${formatShape(shape)}`,
    );
  }
  const [rows, columns] = [Math.floor(height / patchHeight), Math.floor(width / patchWidth)];
  const first = hasClass ? 1 : 0;
  const length = rows * columns + first;
  const patches = new Float32Array(pictures * length * channels * patchHeight * patchWidth);
  for (let b = 0, to = 0; b < pictures; b++) {
    // The class token's patch is empty.
    to += first * channels * patchHeight * patchWidth;
    for (let i = 0; i < rows * columns; i++) {
      const [top, left] = [Math.floor(i / columns) * patchHeight, (i % columns) * patchWidth];
      for (let c = 0; c < channels; c++) {
        for (let y = 0; y < patchHeight; y++) {
          const from = ((b * channels + c) * height + top + y) * width + left;
          patches.set((data as Float32Array).subarray(from, from + patchWidth), to);
          to += patchWidth;
        }
      }
    }
  }
  const patchesTensor = new Tensor("float32", [pictures, length, channels * patchHeight * patchWidth], patches);
  return {
    ...{ pictures, rows, columns, length },
    feeds: {
      patches: patchesTensor,
      position_mix: positionMix(grid, rows, columns),
      pixel_values: pixelValues as Tensor,
    },
  };
}

/** Names of the weights of a patch embedding; undefined for those a model has not. */
export interface PatchNames {
  readonly projection: string;
  readonly positions: string;
  readonly classToken?: string;
  readonly hasBias: boolean;
  /** Shapes of class token and positions before their last axis. */
  readonly classAxes?: readonly number[];
  readonly positionAxes: readonly number[];
}

export function patchSpecs(grid: PatchGrid, names: PatchNames, width: number): readonly TensorSpec[] {
  const { channels, patchHeight, patchWidth } = grid;
  const { projection, positions, classToken, hasBias, classAxes = [], positionAxes } = names;
  return [
    { name: `${projection}.weight`, shape: [width, channels, patchHeight, patchWidth] },
    ...(hasBias ? [{ name: `${projection}.bias`, shape: [width] }] : []),
    ...(classToken === undefined ? [] : [{ name: classToken, shape: [...classAxes, width] }]),
    { name: positions, shape: [...positionAxes, trainedPositions(grid), width] },
  ];
}

/**
 * Embeddings of patches and class token, with positions. A convolution whose stride is its kernel is one matrix
 * product per patch.
 *
 *   x₀ = class + p₀,  xᵢ = W · patchᵢ + b + pᵢ
 *
 * Shapes   → [B,T,M]
 * Source   arXiv:2010.11929 eq. 1
 */
export function embedPatches({ weight, input, tap }: GraphContext, names: PatchNames, width: number): Value {
  const patches = input("patches");
  const size = patches.shape[2] as number;
  const kernel = build.reshape(weight(`${names.projection}.weight`), [width, size]);
  const product = build.matMul(patches, build.transpose(kernel, [1, 0]));
  const projected = names.hasBias ? build.add(product, weight(`${names.projection}.bias`)) : product;
  const mix = input("position_mix");
  const table = weight(names.positions);
  const positions = build.matMul(mix, build.reshape(table, [table.shape.at(-2)!, width])); // [T,M]
  const isClass = build.greater(build.slice(mix, 1, 0, 1), 0.5); // [T,1]
  const embed =
    names.classToken === undefined
      ? projected
      : build.where(isClass, build.reshape(weight(names.classToken), [1, width]), projected);
  return build.add(tap("embed", embed), tap("pos_embed", positions));
}
