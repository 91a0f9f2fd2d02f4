import {
  maskColour,
  paletteColours,
  scalePosition,
  visibleColumns,
  type PaletteName,
  type ScaleName,
} from "attention-lab/figure";
import type { StoredHead } from "attention-lab/views";

/** Levels 0…255 are weights on the colour scale; these two are not weights. */
export const maskLevel = 256;
export const emptyLevel = 257;
const levelCount = 258;
const unknownLevel = 65_535;

/** One head's weights as they are to be drawn. */
export interface RasterSource {
  readonly weights: Float32Array;
  readonly rows: number;
  readonly columns: number;
  readonly block: number;
  readonly causal: boolean;
  readonly queries: number;
  readonly keys: number;
}

/** Where the weights of a matrix are, and what of it a causal mask hides. */
export type RasterShape = Omit<RasterSource, "weights">;

/** The level of every weight: its place on the scale in 255 steps, or the mask. */
export function levelsOf(source: RasterSource, top: number, scale: ScaleName): Uint16Array {
  const { weights, rows, columns } = source;
  const levels = new Uint16Array(rows * columns).fill(maskLevel);
  for (let row = 0; row < rows; row++) {
    const start = row * columns;
    const end = start + visibleIn(row, source);
    for (let at = start; at < end; at++) levels[at] = levelOf(weights[at] as number, top, scale);
  }
  return levels;
}

/**
 * The same for heads as they are stored: a code's level is worked out when it is first met.
 *
 * Returns  what gives the levels of one head after the other; they are valid until the next head's
 */
export function storedLevels(shape: RasterShape, top: number, scale: ScaleName): (head: StoredHead) => Uint16Array {
  const { rows, columns } = shape;
  const levels = new Uint16Array(rows * columns).fill(maskLevel);
  let known = new Uint16Array(0);
  let knownFor: StoredHead["weightOf"] | undefined;
  return ({ codes, weightOf }) => {
    if (weightOf !== knownFor) {
      known = new Uint16Array(1 << (8 * codes.BYTES_PER_ELEMENT)).fill(unknownLevel);
      knownFor = weightOf;
    }
    for (let row = 0; row < rows; row++) {
      const start = row * columns;
      const end = start + visibleIn(row, shape);
      for (let at = start; at < end; at++) {
        const code = codes[at] as number;
        let level = known[code] as number;
        if (level === unknownLevel) known[code] = level = levelOf(weightOf(code), top, scale);
        levels[at] = level;
      }
    }
    return levels;
  };
}

function levelOf(weight: number, top: number, scale: ScaleName): number {
  return Math.round(255 * scalePosition(weight, top, scale));
}

function visibleIn(row: number, { columns, block, causal, queries, keys }: RasterShape): number {
  return causal ? visibleColumns(row, columns, block, queries, keys) : columns;
}

/** The levels of a part of a matrix, row by row. */
export function croppedLevels(
  levels: Uint16Array,
  width: number,
  part: { readonly row: number; readonly column: number; readonly rows: number; readonly columns: number },
): Uint16Array {
  const { row, column, rows, columns } = part;
  if (row === 0 && column === 0 && columns === width && rows * columns === levels.length) return levels;
  const cropped = new Uint16Array(rows * columns);
  for (let at = 0; at < rows; at++) {
    const from = (row + at) * width + column;
    cropped.set(levels.subarray(from, from + columns), at * columns);
  }
  return cropped;
}

/**
 * What draws matrices of one size into rectangles of one size: magnified without blending, or, where a matrix has more
 * rows or columns than the rectangle has pixels, each pixel takes the largest weight it covers, so that no spike vanishes.
 */
export function createPainter(
  size: { readonly width: number; readonly height: number },
  rows: number,
  columns: number,
): (sheet: Uint16Array, sheetWidth: number, x: number, y: number, levels: Uint16Array) => void {
  const { width, height } = size;
  const across = edges(width, columns);
  const down = edges(height, rows);
  const line = new Uint16Array(width);
  const isWhole = rows <= height && columns <= width;
  return (sheet, sheetWidth, left, top, levels) => {
    let paintedRow = -1;
    for (let y = 0; y < height; y++) {
      const firstRow = down.first[y] as number;
      const lastRow = down.last[y] as number;
      if (firstRow !== paintedRow || lastRow > firstRow) {
        paintedRow = firstRow;
        for (let x = 0; x < width; x++) {
          const firstColumn = across.first[x] as number;
          if (isWhole) line[x] = levels[firstRow * columns + firstColumn] as number;
          else line[x] = largestLevel(levels, columns, firstRow, lastRow, firstColumn, across.last[x] as number);
        }
      }
      sheet.set(line, (top + y) * sheetWidth + left);
    }
  };
}

/** First and last matrix line under each of `pixels` pixels. */
function edges(pixels: number, count: number): { readonly first: Uint32Array; readonly last: Uint32Array } {
  const first = new Uint32Array(pixels);
  const last = new Uint32Array(pixels);
  for (let pixel = 0; pixel < pixels; pixel++) {
    const start = Math.floor((pixel * count) / pixels);
    first[pixel] = start;
    last[pixel] = count <= pixels ? start : Math.max(start, Math.ceil(((pixel + 1) * count) / pixels) - 1);
  }
  return { first, last };
}

function largestLevel(
  levels: Uint16Array,
  columns: number,
  firstRow: number,
  lastRow: number,
  firstColumn: number,
  lastColumn: number,
): number {
  let largest = -1;
  for (let row = firstRow; row <= lastRow; row++) {
    for (let column = firstColumn; column <= lastColumn; column++) {
      const level = levels[row * columns + column] ?? 0;
      if (level < maskLevel && level > largest) largest = level;
    }
  }
  return largest < 0 ? maskLevel : largest;
}

/** The colour of every level as one word in the byte order of canvas pixels (red first). */
export function colourTable(palette: PaletteName): Uint32Array {
  const rgb = paletteColours(palette);
  const bytes = new Uint8Array(levelCount * 4);
  for (let level = 0; level < 256; level++) {
    bytes.set(rgb.subarray(level * 3, level * 3 + 3), level * 4);
    bytes[level * 4 + 3] = 255;
  }
  const [red, green, blue, opacity] = maskColour(palette);
  bytes.set(opacity === 0 ? [0, 0, 0, 0] : [red, green, blue, opacity], maskLevel * 4);
  return new Uint32Array(bytes.buffer);
}

/** Colours a sheet of levels. */
export function colourise(sheet: Uint16Array, table: Uint32Array, pixels: Uint32Array): void {
  for (let at = 0; at < sheet.length; at++) pixels[at] = table[sheet[at] as number] as number;
}
