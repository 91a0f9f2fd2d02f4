import { maxPool, type PatternReader } from "../views/index.js";
import { scalePosition, type ScaleName } from "./colourScale.js";
import { maskColour, paletteColours, type PaletteName } from "./palettes.js";

/** Colours of weights in a palette picture: 0…`dataSteps` − 1; then the mask, then nothing at all. */
const dataSteps = 254;
const maskIndex = 254;
const emptyIndex = 255;

/** One head's weights, ready to be drawn: [rows,columns] row-major. */
export interface DrawnPattern {
  readonly weights: Float32Array;
  readonly rows: number;
  readonly columns: number;
  /** Side of the square of weights of which each drawn one is the largest. */
  readonly block: number;
}

/** A head's stored weights, pooled further until no side is longer than `longest`. */
export function drawnPattern(
  reader: PatternReader,
  layer: number,
  head: number,
  longest: number = Infinity,
): DrawnPattern {
  const { rows, columns } = reader;
  const block = Math.ceil(Math.max(rows, columns) / longest) || 1;
  return {
    weights: maxPool(reader.head(layer, head), rows, columns, block),
    rows: Math.ceil(rows / block),
    columns: Math.ceil(columns / block),
    block: reader.block * block,
  };
}

/**
 * Whether a causal mask hides a whole drawn square.
 *
 *   hidden ⇔ first key of the square > position of its last query,   position = query + K − Q
 */
export function isMasked(row: number, column: number, block: number, queries: number, keys: number): boolean {
  return column * block > Math.min((row + 1) * block, queries) - 1 + keys - queries;
}

/** How many squares of a row a causal mask leaves, from the first on: 0 … `columns`. */
export function visibleColumns(row: number, columns: number, block: number, queries: number, keys: number): number {
  let count = columns;
  while (count > 0 && isMasked(row, count - 1, block, queries, keys)) count--;
  return count;
}

/** Palette indices of a pattern; masked squares take the mask's index. */
export function paintPattern(
  pattern: DrawnPattern,
  look: { readonly top: number; readonly scale: ScaleName },
  tokens: { readonly causal: boolean; readonly queries: number; readonly keys: number },
): Uint8Array {
  const { weights, rows, columns, block } = pattern;
  const indices = new Uint8Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const at = row * columns + column;
      indices[at] =
        tokens.causal && isMasked(row, column, block, tokens.queries, tokens.keys)
          ? maskIndex
          : Math.round(scalePosition(weights[at], look.top, look.scale) * (dataSteps - 1));
    }
  }
  return indices;
}

/** A blank sheet of palette indices: nothing drawn. */
export function emptySheet(width: number, height: number): Uint8Array {
  return new Uint8Array(width * height).fill(emptyIndex);
}

/** The 256 colours (red, green, blue, opacity) that `paintPattern` and `emptySheet` index. */
export function sheetColours(palette: PaletteName): Uint8Array {
  const rgb = paletteColours(palette, dataSteps);
  const colours = new Uint8Array(256 * 4);
  for (let step = 0; step < dataSteps; step++) {
    colours.set(rgb.subarray(step * 3, step * 3 + 3), step * 4);
    colours[step * 4 + 3] = 255;
  }
  colours.set(maskColour(palette), maskIndex * 4);
  return colours;
}

/** Palette indices of a colour ramp from 0 to the top, left to right, one row. */
export function rampSheet(): Uint8Array {
  return Uint8Array.from({ length: dataSteps }, (_, step) => step);
}
