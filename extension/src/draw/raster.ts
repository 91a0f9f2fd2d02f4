import {
  isMasked,
  maskColour,
  paletteColours,
  scalePosition,
  type PaletteName,
  type ScaleName,
} from "attention-lab/figure";

/** Levels 0…255 are weights on the colour scale; these two are not weights. */
export const maskLevel = 256;
export const emptyLevel = 257;
const levelCount = 258;

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

/** A rectangle on a sheet of levels, in its pixels. */
export interface RasterPlace {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** The level of every weight: its place on the scale in 255 steps, or the mask. */
export function levelsOf(source: RasterSource, top: number, scale: ScaleName): Uint16Array {
  const { weights, rows, columns, block, causal, queries, keys } = source;
  const levels = new Uint16Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    const start = row * columns;
    let end = start + columns;
    while (causal && end > start && isMasked(row, end - 1 - start, block, queries, keys)) levels[--end] = maskLevel;
    for (let at = start; at < end; at++) {
      levels[at] = Math.round(255 * scalePosition(weights[at] as number, top, scale));
    }
  }
  return levels;
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
 * Draws a matrix of levels into a rectangle of a sheet: magnified without blending, or, where it has more rows or
 * columns than the rectangle has pixels, each pixel takes the largest weight it covers, so that no spike vanishes.
 */
export function paintLevels(
  sheet: Uint16Array,
  sheetWidth: number,
  place: RasterPlace,
  levels: Uint16Array,
  rows: number,
  columns: number,
): void {
  const columnEdges = edges(place.width, columns);
  const rowEdges = edges(place.height, rows);
  const line = new Uint16Array(place.width);
  const isWhole = rows <= place.height && columns <= place.width;
  let paintedRow = -1;
  for (let y = 0; y < place.height; y++) {
    const firstRow = rowEdges.first[y] ?? 0;
    const lastRow = rowEdges.last[y] ?? 0;
    if (firstRow !== paintedRow || lastRow > firstRow) {
      paintedRow = firstRow;
      for (let x = 0; x < place.width; x++) {
        if (isWhole) line[x] = levels[firstRow * columns + (columnEdges.first[x] as number)] as number;
        else
          line[x] = largestLevel(
            levels,
            columns,
            firstRow,
            lastRow,
            columnEdges.first[x] ?? 0,
            columnEdges.last[x] ?? 0,
          );
      }
    }
    sheet.set(line, (place.y + y) * sheetWidth + place.x);
  }
}

/** First and last matrix line under each of `pixels` pixels. */
function edges(pixels: number, count: number): { readonly first: Uint32Array; readonly last: Uint32Array } {
  const first = Uint32Array.from({ length: pixels }, (_, pixel) => Math.floor((pixel * count) / pixels));
  const last = Uint32Array.from({ length: pixels }, (_, pixel) =>
    Math.max(first[pixel] ?? 0, Math.ceil(((pixel + 1) * count) / pixels) - 1),
  );
  return count <= pixels ? { first, last: first } : { first, last };
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
