import { headGridMime, headGridsMime, readHeadGrid, readHeadGrids } from "../views/index.js";
import { niceTop, type ScaleName } from "./colourScale.js";
import { largestWeight } from "./frame.js";
import { drawHeadGrid } from "./headGrid.js";
import { stackedDocuments } from "./stackedDocuments.js";
import { drawOneHead } from "./oneHead.js";
import type { PaletteName } from "./palettes.js";

export { niceTop, scaleNames, scalePosition, scaleTicks, type ScaleName } from "./colourScale.js";
export { largestWeight } from "./frame.js";
export { maskColour, paletteColours, paletteNames, type PaletteName } from "./palettes.js";
export { isMasked } from "./patternPicture.js";
export { visibleToken } from "./svg.js";

/** What a picture shows and how. */
export interface FigureOptions {
  /** Which sample, zero-based; default 0. */
  readonly sample?: number;
  /** One head at full size instead of all of them. */
  readonly head?: { readonly layer: number; readonly head: number };
  /** Default "viridis". */
  readonly palette?: PaletteName;
  /** Default "sqrt": weak weights stay visible. */
  readonly scale?: ScaleName;
  /** Largest width, px; default 860. */
  readonly widthPx?: number;
}

/**
 * The print-quality picture of a payload as SVG text; undefined when no drawer knows the MIME type.
 *
 * Throws   PayloadError when the payload is invalid; RangeError when a sample or head is not in it
 */
export function figureOf(mime: string, payload: unknown, options: FigureOptions = {}): string | undefined {
  const draw = Object.hasOwn(drawers, mime) ? drawers[mime] : undefined;
  return draw?.(payload, options);
}

const drawers: Readonly<Record<string, (payload: unknown, options: FigureOptions) => string>> = {
  [headGridMime]: (value, { sample = 0, head, palette = "viridis", scale = "sqrt", widthPx = 860 }) => {
    const payload = readHeadGrid(value);
    checkIndex("sample", sample, payload.samples.length);
    const look = { palette, scale, top: niceTop(largestWeight(payload)) };
    if (!head) return drawHeadGrid(payload, sample, look, widthPx);
    checkIndex("layer", head.layer, payload.layers);
    checkIndex("head", head.head, payload.heads);
    return drawOneHead(payload, sample, head.layer, head.head, look, widthPx);
  },
  [headGridsMime]: (value, { head, ...options }) => {
    if (head) throw new RangeError("figure: a head belongs to one of the stacks; expected the picture of its grid");
    const { title, stacks } = readHeadGrids(value);
    const pictures = stacks.map(({ grid }) => drawers[headGridMime](grid, options));
    return stackedDocuments(`Attention patterns of ${title}`, pictures);
  },
};

function checkIndex(name: string, index: number, count: number): void {
  if (!(Number.isInteger(index) && index >= 0 && index < count)) {
    throw new RangeError(`figure: ${name} out of range; expected 0…${count - 1}, got ${index}`);
  }
}
