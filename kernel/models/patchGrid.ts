import type { Tensor } from "../tensor/index.js";

/** What a model reads of a picture: patches of one size, each a token. */
export interface PatchGrid {
  readonly channels: number;
  /** Pixels that the model was trained on. */
  readonly height: number;
  readonly width: number;
  readonly patchHeight: number;
  readonly patchWidth: number;
  /** Whether a class token comes before the patches. */
  readonly hasClass: boolean;
  /** Whether positions are interpolated for pictures of other sizes; such pictures are refused otherwise. */
  readonly interpolates: boolean;
}

/** Pictures cut up. */
export interface Patches {
  readonly pictures: number;
  readonly rows: number;
  readonly columns: number;
  /** Tokens per picture: its patches, and the class token where there is one. */
  readonly length: number;
  readonly feeds: Readonly<Record<string, Tensor>>;
}

/** Rows and columns of the trained picture. */
export function trainedGrid({ height, width, patchHeight, patchWidth }: PatchGrid): readonly [number, number] {
  return [Math.floor(height / patchHeight), Math.floor(width / patchWidth)];
}

/** Rows of the table of positions. */
export function trainedPositions(grid: PatchGrid): number {
  const [rows, columns] = trainedGrid(grid);
  return rows * columns + (grid.hasClass ? 1 : 0);
}
